"""Built kernels on disk: found again, built once, rebuilt when damaged."""

import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

import polysched as ps
from polysched.kernel.cache import MANIFEST

pytestmark = pytest.mark.cc

PROGRAM = """
    import sys
    import numpy as np
    import polysched as ps

    @ps.kernel(cache=sys.argv[1], timeout=2.0)
    def twice(n: int, x: ps.float64["N"], y: ps.float64["N"]):
        for i in range(n):  # which leaves the arrays for some n
            y[i] = 2.0 * x[i]

    x, y = np.ones(10), np.zeros(10)
    twice(len(x), x, y)
    assert (y == 2.0).all()
    heavy = {"islpy", "pulp", "networkx", "sympy", "highspy"} & set(sys.modules)
    print("built" if twice.build().was_built else "found", *sorted(heavy))
"""


@pytest.fixture
def program(tmp_path):
    path = tmp_path / "program.py"
    path.write_text(textwrap.dedent(PROGRAM), encoding="utf-8")
    return path


def start(program, cache):
    command = [sys.executable, str(program), str(cache)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def finish(process):
    out, _ = process.communicate(timeout=120)
    assert process.returncode == 0
    return out.split()


def built(cache: Path):
    return sorted(p.parent for p in cache.glob(f"*/{MANIFEST}"))


@pytest.mark.long
def test_processes_that_start_at_once_build_once(program, tmp_path):
    cache = tmp_path / "cache"
    told = [finish(p) for p in [start(program, cache) for _ in range(4)]]
    assert sorted(t[0] for t in told) == ["built", "found", "found", "found"]
    assert len(built(cache)) == 1
    again = finish(start(program, cache))
    assert again == ["found"]  # and nothing that only building needs was imported


def test_damaged_entries_are_built_again(tmp_path):
    kernel = _square(tmp_path)
    kernel.build()
    (directory,) = built(tmp_path)
    library = directory / "kernel.so"
    library.unlink()  # not written over: this process has it loaded
    library.write_bytes(b"no library")
    second = _square(tmp_path)
    assert second.build().was_built
    x = np.arange(4.0)
    second(x)
    np.testing.assert_array_equal(x, np.arange(4.0) ** 2)
    (directory / MANIFEST).write_bytes(b"")
    assert _square(tmp_path).build().was_built
    assert not _square(tmp_path).build().was_built


def test_options_and_source_are_part_of_the_key(tmp_path):
    _square(tmp_path).build()
    assert not _square(tmp_path).build().was_built
    assert _square(tmp_path, fp="reassociate").build().was_built
    assert len(built(tmp_path)) == 2


def test_constants_are_part_of_the_key(tmp_path):
    for factor in (2.0, 3.0):

        @ps.kernel(cache=tmp_path, timeout=1.0)
        def scale(x: ps.float64["N"]):
            for i in range(len(x)):
                x[i] *= factor  # noqa: B023 - called in the same iteration

        x = np.ones(3)
        scale(x)
        np.testing.assert_array_equal(x, factor)


def test_clear(tmp_path):
    _square(tmp_path).build()
    assert ps.Kernel.clear_cache(tmp_path) == 1
    assert built(tmp_path) == []
    assert _square(tmp_path).build().was_built


def test_directory_that_cannot_be_written(tmp_path):
    path = tmp_path / "file"
    path.write_text("")
    with pytest.raises(ps.PolyschedError, match="cannot keep kernels in"):
        _square(path).build()


def _square(cache, **options):
    @ps.kernel(cache=cache, timeout=1.0, **options)
    def square(x: ps.float64["N"]):
        for i in range(len(x)):
            x[i] = x[i] * x[i]

    return square
