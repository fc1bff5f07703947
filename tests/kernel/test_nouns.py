"""What a kernel shows of itself, and what it does when something is not there."""

import os
import re
import threading

import numpy as np
import pytest

import polysched as ps
from tests.kernel import kernels

pytestmark = pytest.mark.cc


def test_it_looks_like_the_function():
    assert kernels.axpy.__name__ == "axpy"
    assert kernels.axpy.__wrapped__ is kernels.axpy.function
    assert "a: float, x: float64[N], y: float64[N]" in repr(kernels.axpy)


def test_program_scop_and_text():
    program = kernels.axpy.program()
    assert program.has_main is False
    scop = kernels.axpy.scop()
    (statement,) = scop.statements
    assert statement.where.file.endswith("kernels.py")
    assert statement.text == "y[i] = y[i] + a * x[i]"
    assert "void axpy(" in kernels.axpy.to_c()


def test_barriers_cost_more_beside_the_threads_of_numpy():
    machine = ps.Machine.detect()
    stated = ps.kernel(machine=machine)(kernels.axpy.function)
    given = np.ones(100)
    assert stated.space(2.0, given, given).machine == machine
    found = kernels.axpy.space(2.0, given, given).machine
    assert found.cpu.barrier_seconds >= 2e-5


def test_space_and_explanation():
    space = kernels.axpy.space(2.0, np.ones(100), np.ones(100))
    assert space.best.id in {s.id for s in space}
    told = str(kernels.axpy.explain())
    assert told.startswith("schedule ")


def test_types_instead_of_arguments():
    built = kernels.negate.build(ps.float64[12], ps.float64[12])
    x, y = np.ones(12), np.zeros(12)
    kernels.negate(x, y)
    np.testing.assert_array_equal(y, -1.0)
    assert kernels.negate.build(x, y) is built


def test_tune_measures_and_later_calls_use_it(tmp_path):
    def scale(x: ps.float64["N"], y: ps.float64["N"]):
        for i in range(len(x)):
            y[i] = 3.0 * x[i]

    kernel = ps.kernel(budget=2, cache=tmp_path)(scale)
    x, y = np.ones(1000), np.zeros(1000)
    tuned = kernel.tune(x, y)
    expected = tuned.best.id if tuned.best else "original"
    assert kernel.build().schedule == expected
    kernel(x, y)
    np.testing.assert_array_equal(y, 3.0)
    other = ps.kernel(tune=True, budget=2, cache=tmp_path)(scale)
    assert not other.build(x, y).was_built


def test_tune_at_the_first_call(tmp_path):
    @ps.kernel(tune=True, budget=1, cache=tmp_path)
    def add(x: ps.float64["N"], y: ps.float64["N"]):
        for i in range(len(x)):
            y[i] += x[i]

    x, y = np.ones(500), np.ones(500)
    add(x, y)
    np.testing.assert_array_equal(y, 2.0)
    assert add.build().was_built


def test_missing_compiler_is_named(tmp_path):
    @ps.kernel(cc="no-such-compiler", cache=tmp_path)
    def nothing(x: ps.float64["N"]):
        for i in range(len(x)):
            x[i] = 0.0

    with pytest.raises(
        ps.PolyschedError, match="compiler 'no-such-compiler' cannot be started"
    ):
        nothing(np.ones(3))


def test_the_text_as_it_is_when_no_schedule_is_found(tmp_path):
    @ps.kernel(timeout=0.0, cache=tmp_path)
    def halve(x: ps.float64["N"]):
        for i in range(len(x)):
            x[i] *= 0.5

    x = np.ones(6)
    halve(x)
    np.testing.assert_array_equal(x, 0.5)


def test_several_threads_at_once():
    A, B = np.random.default_rng(2).random((2, 60, 60))
    expected = A @ B
    results = [np.zeros((60, 60)) for _ in range(8)]

    def work(C):
        for _ in range(20):
            kernels.gemm(1.0, 0.0, C, A, B)

    threads = [threading.Thread(target=work, args=(C,)) for C in results]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    for C in results:
        np.testing.assert_allclose(C, expected, rtol=1e-12)


def test_children_that_are_forked_go_on_with_one_thread():
    C, A = np.zeros((80, 80)), np.ones((80, 80))
    kernels.gemm(1.0, 0.0, C, A, A)
    child = os.fork()
    if child == 0:  # no test framework in here
        kernels.gemm(1.0, 0.0, C, A, A)
        os._exit(0 if (C == 80.0).all() else 1)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0


def test_cards_show_the_function_and_what_was_built(tmp_path):
    def halve(x: ps.float64["N"], y: ps.float64["N"]):
        for i in range(len(x)):
            y[i] = x[i] / 2.0 if x[i] < 1e9 else 0.0

    kernel = ps.kernel(cache=tmp_path)(halve)
    assert "Nothing is built yet" in kernel._repr_html_()
    built = kernel.build(np.ones(7), np.ones(7))
    assert kernel.built == (built,)
    assert repr(built) == (
        "<built halve(x: float64[N], y: float64[N]), "
        f"schedule {built.schedule}, built now>"
    )
    card = kernel._repr_html_()
    assert built.schedule in card
    assert "x[i] &lt; 1e9" in card
    assert built.note.split("<")[0] in card
    assert "void halve" in re.sub("<[^>]*>", "", built._repr_html_())
    assert "from the cache" in repr(ps.kernel(cache=tmp_path)(halve).build())
