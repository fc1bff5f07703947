"""Compilers are called as the user would, and their errors are passed on."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from polysched.base import ToolchainError
from polysched.runtime import RunOptions, Toolchain, Workbench, compile_program
from tests.unit.handmade import FASTER, MATMUL, write_program

pytestmark = pytest.mark.cc

TOOLS = Toolchain(cflags=("-O1",))


def bench(
    tmp_path: Path,
    text: str = MATMUL,
    tools: Toolchain = TOOLS,
    options: RunOptions | None = None,
) -> Workbench:
    program = write_program(tmp_path, text)
    return Workbench(
        program,
        program.scops[0],
        toolchain=tools,
        directory=tmp_path / "work",
        options=options or RunOptions(threads=2),
    )


def test_times_calls_and_dump(tmp_path: Path) -> None:
    b = bench(tmp_path, options=RunOptions(args=("9",)))
    run = b.execute(b.build("p", FASTER), timeout_seconds=10, with_dump=True)
    assert (run.n_calls, run.result.status) == (1, 0)
    assert 0 < run.seconds < run.result.wall_seconds
    assert run.dump is not None
    assert run.dump.parameters == {"n": 9}
    assert [(s.array, s.values.size) for s in run.dump.segments] == [
        ("count", 9),
        ("C", 45),
    ]
    assert run.dump.segments[0].values.tolist() == list(range(1, 10))


def test_repeated_calls_are_dumped_now_and_then(tmp_path: Path) -> None:
    text = MATMUL.replace("#pragma scop", "for (int t = 0; t < 9; t++) {\n#pragma scop")
    text = text.replace("#pragma endscop", "#pragma endscop\n}")
    b = bench(tmp_path, text)
    run = b.execute(b.build("p", None), timeout_seconds=10, with_dump=True)
    assert run.n_calls == 9
    assert run.dump is not None
    calls = [s.call for s in run.dump.segments if s.array == "C"]
    assert calls == [1, 2, 4, 8]


def test_dump_meets_its_limit(tmp_path: Path) -> None:
    b = bench(tmp_path, options=RunOptions(dump_bytes=1000))
    run = b.execute(b.build("p", None), timeout_seconds=10, with_dump=True)
    assert run.dump is not None
    assert [s.is_cut for s in run.dump.segments] == [False, True]


def test_without_dump_nothing_is_written(tmp_path: Path) -> None:
    b = bench(tmp_path)
    b.execute(b.build("p", None), timeout_seconds=10)
    assert not list((tmp_path / "work").glob("dump*"))


def test_errors_in_the_users_code_name_the_users_line(tmp_path: Path) -> None:
    b = bench(tmp_path, MATMUL.replace("return 0;", "return nothing;"))
    with pytest.raises(ToolchainError) as caught:
        b.build("p", None)
    line = 1 + MATMUL[: MATMUL.index("return 0;")].count("\n")
    assert f"matmul.c:{line}:" in caught.value.message
    assert "command: gcc -O1 -fopenmp" in caught.value.message


def test_errors_in_the_region_name_its_line(tmp_path: Path) -> None:
    b = bench(tmp_path, MATMUL.replace("count[i] = i + 1", "count[i] = oops"))
    line = 1 + MATMUL[: MATMUL.index("count[i] = i")].count("\n")
    with pytest.raises(ToolchainError, match=f"matmul.c:{line}:"):
        b.build("p", None)


def test_strict_flags_of_the_user_are_no_obstacle(tmp_path: Path) -> None:
    flags = ("-std=c99", "-pedantic-errors", "-Wall", "-Wextra", "-Werror")
    b = bench(tmp_path, tools=Toolchain(cflags=(*flags, "-Wnested-externs")))
    b.execute(b.build("p", None), timeout_seconds=10)


def test_further_sources_are_compiled_and_linked(tmp_path: Path) -> None:
    other = tmp_path / "other.c"
    other.write_text("int start(void) { return SIZE; }\n")
    text = MATMUL.replace(": 24", ": start()").replace(
        "int main", "int start(void);\nint main"
    )
    tools = replace(TOOLS, extra_sources=(str(other),), cppflags=("-DSIZE=11",))
    b = bench(tmp_path, text, tools)
    run = b.execute(b.build("p", None), timeout_seconds=10, with_dump=True)
    assert run.dump is not None
    assert run.dump.parameters == {"n": 11}
    missing = replace(tools, extra_sources=("none.c",))
    with pytest.raises(ToolchainError, match=r"cannot read the source 'none\.c'"):
        bench(tmp_path, text, missing).build("p", None)


@pytest.mark.parametrize(
    "command",
    [
        "gcc {source} -o {output} -lm",
        "gcc -c {source} -o x.o && gcc x.o {harness} -o {output}",
    ],
)
def test_build_commands(tmp_path: Path, command: str) -> None:
    command = command.replace("x.o", str(tmp_path / "x.o"))
    b = bench(tmp_path, tools=Toolchain(build_command=command))
    assert b.execute(b.build("p", None), timeout_seconds=10).n_calls == 1


def test_bad_build_commands(tmp_path: Path) -> None:
    b = bench(tmp_path, tools=Toolchain(build_command="make"))
    with pytest.raises(ToolchainError, match="needs both"):
        b.build("p", None)
    b = bench(tmp_path, tools=Toolchain(build_command="true {source} {output}"))
    with pytest.raises(ToolchainError, match="wrote no program"):
        b.build("p", None)


def test_slow_compilers_are_stopped(tmp_path: Path) -> None:
    script = tmp_path / "slow"
    script.write_text(f"#!{sys.executable}\nimport time\ntime.sleep(60)\n")
    script.chmod(0o755)
    tools = Toolchain(cc=str(script), compile_seconds=0.5)
    with pytest.raises(ToolchainError, match=r"stopped, after 0\.5 s"):
        compile_program(b"", "p", tmp_path, tools)


def test_program_key_sees_headers_and_arguments(tmp_path: Path) -> None:
    def key(options: RunOptions | None = None, tools: Toolchain = TOOLS) -> str:
        return bench(tmp_path, tools=tools, options=options).program_key()

    first = key()
    assert key() == first
    assert key(RunOptions(args=("3",))) != first
    assert key(tools=replace(TOOLS, cppflags=("-DX",))) != first
    b = bench(tmp_path)
    (tmp_path / "sizes.h").write_text("#define MAX 32\n")
    assert b.program_key() != first


def test_program_key_is_stable_for_assertions(tmp_path: Path) -> None:
    text = "#include <assert.h>\n" + MATMUL.replace("return 0;", "assert(sum > 0);")
    first = bench(tmp_path, text).program_key()
    assert bench(tmp_path, text).program_key() == first


def test_byte_order_mark_stays_in_front(tmp_path: Path) -> None:
    b = bench(tmp_path, "\ufeff" + MATMUL)
    assert b.execute(b.build("p", None), timeout_seconds=10).n_calls == 1


def test_truncated_and_missing_dumps_are_noticed(tmp_path: Path) -> None:
    from polysched.base import RunError
    from polysched.runtime import print_dump, read_dump

    b = bench(tmp_path)
    scop, stem = b.scop, tmp_path / "d"
    code = print_dump(scop)
    with pytest.raises(RunError, match="left no dump"):
        read_dump(stem, scop, code)
    (tmp_path / "d.data").write_bytes(bytes(24))
    (tmp_path / "d.rows").write_bytes(b"\3" + bytes(15))
    toc = tmp_path / "d.toc"
    toc.write_text("array 1 0 8 1 1 24 0\n")
    with pytest.raises(RunError, match="incomplete"):
        read_dump(stem, scop, code)
    toc.write_text("array 1 0 8 1 1 24 0\nend 1\n")
    with pytest.raises(RunError, match="elements of 8 bytes in the program"):
        read_dump(stem, scop, code)
    toc.write_text("array 1 0 4 1 1 12 0\nend 1\n")
    with pytest.raises(RunError, match="holds more than its table"):
        read_dump(stem, scop, code)
    (tmp_path / "d.data").write_bytes(bytes(8))
    with pytest.raises(RunError, match="truncated"):
        read_dump(stem, scop, code)
    toc.write_text("array 1 9 4 1 1 12 0\nend 1\n")
    with pytest.raises(RunError, match="damaged at 'array 1 9"):
        read_dump(stem, scop, code)
