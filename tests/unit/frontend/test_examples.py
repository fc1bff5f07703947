"""Every example is accepted whole, at its usual and at its smallest sizes."""

from pathlib import Path

import pytest

from polysched.frontend import parse_c

pytestmark = pytest.mark.cc

EXAMPLES = Path(__file__).parents[3] / "examples"
FILES = sorted(p.relative_to(EXAMPLES).as_posix() for p in EXAMPLES.rglob("*.c"))


@pytest.mark.parametrize("name", FILES)
def test_example_is_accepted(name):
    tiny = "-DMINI" if "programs" not in name else "-DTINY"
    for flags in ([], [tiny]):
        program = parse_c(EXAMPLES / name, flags=flags)
        assert [str(r) for r in program.refusals] == []
        assert program.has_main
        assert len(program.scops) == program.source.count(b"#pragma scop\n")
        assert all(s.assumptions.is_params() for s in program.scops)
