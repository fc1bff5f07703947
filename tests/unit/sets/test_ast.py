"""Building an AST ends cleanly wherever the operation limit strikes."""

import islpy as isl
import pytest

from polysched.base import LimitError
from polysched.ir import original_tree
from polysched.sets import build_ast
from tests.unit import scops


def test_limit_in_a_callback_is_a_limit_error(capfd):
    schedule = original_tree(scops.gemm()).schedule
    calls = []

    def before_for(build):
        calls.append(str(build.get_schedule_space()))
        return f"for_{len(calls)}"

    def at_domain(node, build):
        calls.append(str(build.get_schedule()))
        return f"user_{len(calls)}"

    def build(limit):
        return build_ast(
            schedule,
            isl.Set("{ : }"),
            before_for=before_for,
            at_domain=at_domain,
            max_operations=limit,
        )

    n_refused = 0
    limit = 1
    while True:
        try:
            build(limit)
            break
        except LimitError:
            n_refused += 1
        limit += 11
    assert n_refused > 50
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("where", ["before_for", "at_domain"])
def test_error_of_a_callback_is_raised_again(where):
    def fail(*arguments):
        raise KeyError(where)

    schedule = original_tree(scops.gemm()).schedule
    with pytest.raises(KeyError, match=where):
        build_ast(schedule, isl.Set("{ : }"), **{where: fail})
