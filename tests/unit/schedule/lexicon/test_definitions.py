"""What the published definitions leave open, and how it is decided here."""

from __future__ import annotations

import pytest

from polysched.analysis import compute_dependences
from polysched.machine import Cpu
from polysched.schedule import (
    MachineFacts,
    ScheduleModel,
    is_stencil,
    stride_weights,
    subscripts,
)
from tests.unit import scops
from tests.unit.schedule.programs import fdtd_2d, matmul, nest, pair, single, syrk
from tests.unit.schedule.solving import solve, text, values

MANY_CORES = MachineFacts(n_cores=64, vector_lanes=8)


def test_outer_parallelism_weighs_more_with_many_cores_in_opir() -> None:
    program = single("i j", "r A[i - 1, j]", "r B[j]", "w A[i, j]")
    assert text(solve(program, "OPIR MIC")) == "S0: 0 i 0 j 0"
    assert text(solve(program, "OPIR MIC", machine=MANY_CORES)) == "S0: 0 j 0 i 0"


def test_sdc_asks_nothing_of_several_statements_on_many_cores() -> None:
    several, single_sweep = scops.jacobi_1d(), scops.gauss_seidel()
    assert "SDC row 0" in values(solve(several, "SDC MIC", "lower"))
    solved = solve(several, "SDC MIC", "lower", MANY_CORES)
    assert list(values(solved)) == ["MIC", "MIC order"]
    assert "SDC row 0" in values(solve(single_sweep, "SDC MIC", "lower", MANY_CORES))


def test_machine_facts_come_from_a_processor() -> None:
    cpu = Cpu("x", 8, 16, 512, 2**15, 2**20, 2**24, 64, None, 1e9, 1e9, 1e9, 1e-6)
    assert MachineFacts.of_cpu(cpu) == MachineFacts(8, 8)
    assert MachineFacts.of_cpu(cpu, element_bytes=4) == MachineFacts(8, 16)
    assert MachineFacts(8, 4).wants_parallelism
    assert MachineFacts(7, 4).wants_skewing


@pytest.mark.parametrize("name", ["SPC", "SDC", "SMP"])
def test_stencil_objectives_leave_other_programs_alone(name: str) -> None:
    program = matmul("k i j")
    solved = solve(program, f"{name} MIC")
    assert text(solved) == text(solve(program, "MIC"))
    assert solved.given_up == ()


def test_stencils_have_shifted_references_and_no_constant_one() -> None:
    sweeps = (*scops.jacobi_2d().statements, *fdtd_2d().statements)
    assert all(is_stencil(s) for s in sweeps)
    assert not is_stencil(syrk().statements[0])
    scaled = single("i", "r A[i - 1]", "r A[i + 1]", "r a[]", "w B[i]")
    assert not is_stencil(scaled.statements[0])
    copied = single("i j", "r A[i, j]", "r A[j, i]", "w B[i, j]")
    assert not is_stencil(copied.statements[0])


def test_references_are_counted_once_and_know_their_iterators() -> None:
    program = single("i j", "r A[2i + j, j - 3]", "r A[2i + j, j - 3]", "w A[i, 0]")
    read, write = subscripts(program.statements[0])
    assert (read.uses, read.offsets) == ((frozenset({0, 1}), frozenset({1})), (0, -3))
    assert (read.only(0), read.only(1), write.only(1)) == (None, 1, None)
    assert (read.factor, write.factor) == (1, 2)
    # j is in both subscripts of the read; the write's column is constant
    assert stride_weights(program.statements[0]) == (10 + 2 * 10, 11 + 2 * 3)


def test_remainders_and_halves_use_their_iterator() -> None:
    program = single("i j", "w A[i mod 2, j]")
    (write,) = subscripts(program.statements[0])
    assert write.uses == (frozenset({0}), frozenset({1}))


def test_fission_does_not_pass_for_fusion_by_scalar_rows_inside() -> None:
    # as published, a negative difference inside pays for a positive one outside
    program = scops.gemm()
    solved = solve(program, "DGF OP IP MIC")
    first, second = solved.rows["S0"].betas, solved.rows["S1"].betas
    assert values(solved)["DGF"] == 0
    assert first[:2] == second[:2]


def test_fpp_fuses_what_is_alike_parallel() -> None:
    program = pair(
        nest("S0", "i", "r A[i]", "w B[i]"),
        nest("S1", "i", "r A[i]", "r B[i]", "w C[i]", position=(1, 0)),
    )
    assert text(solve(program, "MIC")) == "S0: 0 i 0; S1: 1 i 0"
    assert text(solve(program, "OP FPP MIC")) == "S0: 0 i 0; S1: 0 i 1"


def test_fpp_without_claims_fuses_freely() -> None:
    program = pair(
        nest("S0", "i", "r A[i]", "w B[i]"),
        nest("S1", "i", "r A[i]", "r C[i - 1]", "w C[i]", position=(1, 0)),
    )
    assert text(solve(program, "FPP MIC")) == "S0: 0 i 0; S1: 0 i 0"


def test_2op_differs_from_its_easy_form_in_the_rows_around() -> None:
    program = single(
        "i j k", "r A[i, j, k - 1]", "r A[i - 1, j, k - 1]", "w A[i, j, k]"
    )
    assert text(solve(program, "2OP_EASY MIC")) == "S0: 0 i 0 j 0 k 0"
    assert text(solve(program, "2OP MIC")) == "S0: 0 k 0 i 0 j 0"


def test_register_reuse_leaves_shallow_statements_alone() -> None:
    transposed = single("i j", "r A[j, i]", "w A[j, i]")
    assert values(solve(transposed, "RREUSE MIC"))["RREUSE"] == 0


@pytest.mark.parametrize(
    ("program", "barriers"),
    [
        (matmul("k i j"), 0),
        (scops.jacobi_1d(), 2),  # both sweeps below the time loop
        (single("i", "r A[i - 1]", "w A[i]"), 1),
    ],
)
def test_barriers_count_sequential_loops_around_parallel_ones(program, barriers):
    assert values(solve(program, "BARR MIC"))["BARR"] == barriers


def test_live_counts_the_distance_between_producer_and_consumer() -> None:
    delayed = pair(
        nest("S0", "i", "w A[i]"),
        nest("S1", "i", "r A[i - 1]", "w B[i]", position=(1, 0)),
    )
    fused = solve(delayed, "LIVE MIC")
    assert values(fused)["LIVE loop 0"] == 0
    # S0 runs one iteration late, together with its consumer
    assert text(fused) == "S0: 0 i+1 0; S1: 0 i 1"


def test_live_charges_a_whole_loop_for_statements_apart() -> None:
    program = pair(
        nest("S0", "i", "w A[i]"),
        nest("S1", "i j", "r A[i]", "r A[j]", "w B[i, j]", position=(1, 0, 0)),
    )
    solved = solve(program, "LIVE MIC")
    assert text(solved) == "S0: 0 i 0 0 0; S1: 1 i 0 j 0"
    u_before_w = 4 * ScheduleModel(program, compute_dependences(program)).big_m + 1
    assert values(solved)["LIVE loop 0"] == u_before_w


def test_coalescing_asks_nothing_of_sequential_loops_inside() -> None:
    program = single("i j k", "r A[j, k]", "r B[k, i]", "r C[j, i]", "w C[j, i]")
    assert text(solve(program, "SO MIC")) == "S0: 0 j 0 k 0 i 0"
    assert text(solve(program, "COAL MIC")) == "S0: 0 j 0 i 0 k 0"


def test_coalescing_counts_segments_of_a_warp() -> None:
    # one parallel loop: a column of A per thread, 32 segments; twice for the write
    program = single("i j", "r A[i, j - 1]", "w A[i, j]")
    assert values(solve(program, "COAL MIC"))["COAL segments"] == 3 * 32
