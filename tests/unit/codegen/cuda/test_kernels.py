"""Kernels without shared memory: host loops, single threads, private arrays."""

from __future__ import annotations

from pathlib import Path

import pytest

from polysched.analysis import compute_dependences, set_band_flags
from polysched.base import CodegenError
from polysched.codegen import identifiers
from polysched.codegen.cuda import join_device, print_cuda
from polysched.frontend import parse_c
from polysched.ir import ScheduleTree, original_tree
from polysched.transform import apply_script, parse_script
from tests.unit.codegen.cuda.programs import Prepared, outputs

SWEEPS = """for (int t = 0; t < 3; t++) {
    for (int i = 1; i < N - 1; i++)
      for (int j = 1; j < N - 1; j++)
        E[1][i][j] = C[i][j] + C[i - 1][j] + C[i][j + 1];
    for (int i = 1; i < N - 1; i++)
      for (int j = 1; j < N - 1; j++)
        C[i][j] = E[1][i][j] / (T)2;
  }"""
LAUNCHES = (
    "merge(band=0.0.1.0); launch(band=0.0.1.0, tile=[8,8], threads=[4,8]); "
    "launch(band=0.0.0.0, tile=[4], threads=[4])"
)
PRIVATE = """for (int i = 0; i < N; i++) {
    T sum = 0;
    for (int j = 0; j < N; j++)
      sum += A[i][j];
    for (int j = 0; j < N; j++)
      C[i][j] = sum - C[i][j];
  }"""
APART = """{
    T row[N];
    for (int i = 0; i < N; i++)
      row[i] = A[i][0] * (T)2;
    for (int i = 1; i < N; i++)
      C[i][i] = row[i - 1];
  }"""
CHAIN = """for (int i = 1; i < N; i++) {
    C[i][0] = C[i - 1][0] * (T)0.5;
    for (int j = 0; j < N; j++)
      E[0][i][j] = C[i][0] + A[i][j];
  }"""

LATE = """for (int i = 3; i < N; i++) {
    T first = A[i][0] * (T)2;
    for (int j = 0; j < N; j++)
      C[i][j] += first;
  }"""
TWO_LENGTHS = """{
    for (int i = 0; i < n; i++)
      X[i] = (T)1;
    for (int j = 0; j < m; j++)
      Y[j] = (T)2;
  }"""

NEVER = """for (int i = 0; i < N; i++)
    C[i][0] = i + 1 == i ? A[i][0] : B[i][0];"""
ELSEWHERE = f"""{{
    {NEVER}
    for (int i = 0; i < N; i++)
      C[i][1] = A[i][1];
  }}"""
EMPTY = """{
    for (int i = 0; i < N; i++)
      C[i][0] = A[i][0];
    for (int i = N; i < N; i++)
      C[i][1] = B[i][1];
  }"""
NEVER_LONG = """{
    for (int i = 0; i < 3; i++)
      Z[i] = (T)1;
    for (int i = 0; i < 6; i++)
      for (int k = 0; k < n - N; k++)
        Z[i] = X[k];
  }"""
BOTH = (
    "launch(band=0.0.0, tile=[8], threads=[8]); "
    "launch(band=0.1.0, tile=[8], threads=[8])"
)


@pytest.mark.cc
@pytest.mark.parametrize(
    ("body", "script"),
    [
        (SWEEPS, LAUNCHES),
        (PRIVATE, "launch(band=0, tile=[8], threads=[8])"),
        (PRIVATE, "launch(band=0, tile=[8], threads=[4])"),
        (
            APART,
            "launch(band=0.0.0, tile=[8], threads=[8]); "
            "launch(band=0.1.0, tile=[8], threads=[8])",
        ),
        (
            CHAIN,
            "single(band=0.0.0.0); launch(band=0.0.1.0, tile=[8], threads=[8])",
        ),
        (NEVER, "launch(band=0, tile=[8], threads=[8])"),
        (ELSEWHERE, BOTH),
        (EMPTY, BOTH),
        (NEVER_LONG, BOTH),  # three elements of Z where n is N, six where it is more
        (  # the private scalar has a place for i = 3 and later only
            LATE,
            "single(band=0.0.0.0); launch(band=0.0.1.0, tile=[8], threads=[8])",
        ),
    ],
)
def test_results_equal(tmp_path: Path, body: str, script: str) -> None:
    expected, found = outputs(tmp_path, body, script)
    assert found == expected


def test_blocks_cover_the_longer_of_two_loops(tmp_path: Path) -> None:
    """The two share a band: no one bound is the end of both."""
    prepared = Prepared.of(tmp_path, TWO_LENGTHS)
    names = [s.name for s in prepared.scop.statements]
    rows = "; ".join(f"{name}[i] -> [(i)]" for name in names)
    tree = ScheduleTree.parse(
        f'{{ domain: "{prepared.scop.domain}", child: {{ schedule: "[{{ {rows} }}]", '
        "permutable: 1, coincident: [ 1 ] } }"
    )
    script = parse_script("launch(band=0, tile=[8], threads=[8])")
    text = print_cuda(prepared.scop, apply_script(tree, script, prepared.deps)).device
    counts = [line for line in text.splitlines() if "n_blocks0 =" in line]
    assert {"n", "m"} <= identifiers("\n".join(counts))


def test_a_kernel_of_one_instance_is_read_back(tmp_path: Path) -> None:
    """isl prints a mark above nothing, and cannot read it."""
    prepared = Prepared.of(tmp_path, CHAIN)
    script = parse_script(
        "single(band=0.0.0.0); launch(band=0.0.1.0, tile=[8], threads=[8])"
    )
    tree = apply_script(prepared.tree, script, prepared.deps)
    assert ScheduleTree.parse(tree.text).key == tree.key


def test_what_is_overwritten_is_not_copied_in(tmp_path: Path) -> None:
    body = """for (int i = 0; i < N; i++)
    for (int j = 0; j < N; j++)
      C[i][j] = A[i][j];"""
    prepared = Prepared.of(tmp_path, body)
    text = prepared.print("launch(band=0, tile=[8], threads=[8])").device
    copies = [line for line in text.splitlines() if "cudaMemcpy(" in line]
    assert len(copies) == 2
    assert "dev_A, A" in copies[0]
    assert "C, dev_C" in copies[1]


def test_threads_that_depend_on_each_other_are_refused(tmp_path: Path) -> None:
    body = """for (int i = 1; i < N; i++)
    for (int j = 0; j < N; j++)
      C[i][j] += C[i - 1][j];"""
    prepared = Prepared.of(tmp_path, body)
    script = parse_script("launch(band=0, tile=[8], threads=[8])")
    tree = apply_script(prepared.tree, script)  # unchecked
    with pytest.raises(CodegenError, match="depend on each other"):
        print_cuda(prepared.scop, tree, deps=prepared.deps.validity)


def test_instances_outside_of_kernels_are_refused(tmp_path: Path) -> None:
    prepared = Prepared.of(tmp_path, CHAIN)
    with pytest.raises(CodegenError, match="no kernel runs"):
        prepared.print("launch(band=0.0.1.0, tile=[8], threads=[8])")


def test_more_blocks_than_a_device_takes_are_refused(tmp_path: Path) -> None:
    body = "for (int i = 0; i < N; i++) for (int j = 0; j < M; j++) A[i][j] += 1;"
    prepared = Prepared.of(tmp_path, body, n=70_000).in_band(
        "[{ S0[i, j] -> [(i)] }, { S0[i, j] -> [(j)] }]"
    )
    with pytest.raises(CodegenError, match="70000 blocks along one axis"):
        prepared.print("launch(band=0, tile=[1, 64], threads=[1, 64])")
    prepared.print("launch(band=0, tile=[2, 64], threads=[2, 64])")


def test_arrays_that_are_written_where_no_instance_comes_are_refused(
    tmp_path: Path,
) -> None:
    body = """for (int i = 0; i < N; i++) {
      int k = 0;
      while (k < i) { if (i + 1 == i) A[i][0] = k; k += 2; }
      C[i][0] = k;
    }"""
    prepared = Prepared.of(tmp_path, body)
    with pytest.raises(CodegenError, match="named and never touched"):
        prepared.print("launch(band=0, tile=[8], threads=[8])")


def test_functions_of_the_host_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "program.c"
    path.write_text(
        "double twice(double); double A[8];\n"
        "void f(void) {\n#pragma scop\n"
        "for (int i = 0; i < 8; i++) A[i] = twice(A[i]);\n"
        "#pragma endscop\n}\n"
    )
    (scop,) = parse_c(path, pure=("twice",)).scops
    deps = compute_dependences(scop)
    tree = set_band_flags(original_tree(scop), deps)
    script = parse_script("launch(band=0, tile=[8], threads=[8])")
    with pytest.raises(CodegenError, match=r"twice\(\) is not available"):
        print_cuda(scop, apply_script(tree, script, deps))


@pytest.mark.cc
def test_static_arrays_that_only_the_region_mentions_have_a_place(
    tmp_path: Path,
) -> None:
    body = """for (int i = 0; i < N; i++) {
    for (int j = 0; j < N; j++)
      W[i][j] = A[i][j] * (T)2;
    for (int j = 0; j < N; j++)
      C[i][j] = W[i][N - 1 - j];
  }"""
    launch = "launch(band=0, tile=[8], threads=[8])"
    prepared = Prepared.of(tmp_path, body)
    assert prepared.scop.array("W").is_private
    expected, found = outputs(tmp_path, body, launch)
    assert found == expected


@pytest.mark.cc
def test_an_array_that_no_instance_touches_takes_no_memory(tmp_path: Path) -> None:
    """Its last element would lie before its first: a negative size was asked for."""
    body = """for (int i = 0; i < N; i++)
    C[i][0] = A[i][1];
  for (int i = 0; i < N - 21; i++)
    for (int j = 0; j < N; j++)
      E[0][i][j] = B[i][j];"""
    script = "launch(band=0.0.0, tile=[8], threads=[8])"
    assert "bytes_E = 0 *" in Prepared.of(tmp_path, body).print(script).device
    expected, found = outputs(tmp_path, body, script)
    assert found == expected


def test_sizes_known_at_run_time_alone_need_a_function(tmp_path: Path) -> None:
    """Unused, it would be warned of by the compiler; two regions share it."""
    launch = "launch(band=0, tile=[8], threads=[8])"
    fixed = "for (int i = 0; i < N; i++)\n    C[i][0] = A[i][1];"
    given = fixed.replace("N", "n").replace("C[i][0]", "Z[i]")
    known = Prepared.of(tmp_path, fixed).print(launch).device
    unknown = Prepared.of(tmp_path, given).print(launch).device
    assert "ps_bytes(" not in known
    assert unknown.count("size_t ps_bytes(") == 1
    for texts in ([known, unknown, unknown], [unknown, known]):
        joined = join_device(texts)
        assert joined.count("size_t ps_bytes(") == 1
        assert joined.index("size_t ps_bytes(") < joined.index("__global__")
