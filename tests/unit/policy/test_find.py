"""What a user may write for a policy, and what is refused."""

from __future__ import annotations

import pytest

from polysched.analysis import compute_dependences
from polysched.base import PolyschedError
from polysched.policy import POLICIES, Policy, find_policy, rank_dependences
from polysched.schedule import MachineFacts, Recipe
from tests.unit import scops
from tests.unit.policy.databases import database, entry
from tests.unit.schedule import programs


def recipes(policy, program=None, machine=None):
    program = program or scops.gemm()
    return find_policy(policy).recipes(program, compute_dependences(program), machine)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("SO>IP>OP", Recipe(("SO", "IP", "OP", "MIC"))),
        ("list:SO > IP", Recipe(("SO", "IP", "MIC"))),
        ("SO", Recipe(("SO", "MIC"))),
        ("MIC>SO", Recipe(("MIC", "SO"))),
        ("PERM>IP", Recipe(("PERM", "IP", "MIC"), "lower")),
        ("SKEWPAR>IP", Recipe(("SKEWPAR", "IP", "MIC"), "upper")),
        ("OP>IP:any", Recipe(("OP", "IP", "MIC"), "any")),
        ("SO>OP@DIM", Recipe(("SO", "OP", "MIC"), "unit", "DIM")),
        ("SO>OP:lower@DIM", Recipe(("SO", "OP", "MIC"), "lower", "DIM")),
    ],
)
def test_lists_are_policies(text, expected):
    assert recipes(text) == (expected,)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("balnced", "no policy named 'balnced'; the policies are: balanced, "),
        ("balnced", "is balanced meant"),
        ("SO>XX", "no objective named 'XX'; the lexicon has: "),
        ("SO>IP>SO", "has SO twice"),
        ("SO>IP:flat", "found the shape 'flat' .* expected one of: unit, turned"),
        ("SO>IP@HALF", "no statement partition named 'HALF'"),
        ("balanced/0", "a budget of 0 recipes, expected 1 or more"),
        ("balanced+", "no policy named ''"),
        ("absent.py:f", "file 'absent.py' does not exist"),
    ],
)
def test_what_is_wrong_is_named(text, message):
    with pytest.raises(PolyschedError, match=message):
        find_policy(text)


def test_a_budget_keeps_the_first():
    assert recipes("thorough/3") == recipes("thorough")[:3]
    assert find_policy("thorough/3").name == "thorough/3"
    assert recipes("balanced/1000") == recipes("balanced")


def test_combinations_take_turns_and_repeat_nothing():
    both = recipes("parallelism+vectorize/1+SO>IP")
    parallel, vector = recipes("parallelism"), recipes("vectorize")
    assert both[0] == parallel[0]
    assert both[1] == vector[0] == Recipe(("SO", "IP", "MIC"))
    assert both[2:] == parallel[1:]  # the list was there already
    assert find_policy("gpu+balanced").name == "gpu+balanced"


def test_functions_are_policies():
    def mine(scop, dependences):
        """Only strides."""
        return [Recipe(("SO", "MIC"))]

    def by_machine(scop, dependences, machine):
        return [Recipe(("OP" if machine.n_cores > 8 else "SO", "MIC"))]

    assert recipes(mine) == (Recipe(("SO", "MIC")),)
    assert find_policy(mine).name == "mine"
    assert find_policy(mine).summary == "Only strides."
    assert recipes(by_machine)[0].objectives[0] == "SO"
    assert recipes(by_machine, machine=MachineFacts(64, 8))[0].objectives[0] == "OP"


def test_wrong_functions_are_refused():
    with pytest.raises(PolyschedError, match="cannot be called with a SCoP"):
        find_policy(lambda scop: ())
    with pytest.raises(PolyschedError, match="gave 'SO', expected recipes"):
        recipes(lambda scop, dependences: ("SO",))
    with pytest.raises(PolyschedError, match="gave 3, expected recipes"):
        recipes(lambda scop, dependences: 3)


def test_a_function_in_a_file_is_a_policy(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(
        "from polysched.schedule import Recipe\n\n"
        "def choose(scop, dependences):\n    return [Recipe(('OP', 'MIC'))]\n"
    )
    assert recipes(f"{path}:choose") == (Recipe(("OP", "MIC")),)
    assert find_policy(f"{path}:choose").name == "mine.py:choose"
    assert len(recipes(f"{path}:choose+gpu")) == 3
    with pytest.raises(PolyschedError, match=r"no function 'other'; it has: .*choose"):
        find_policy(f"{path}:other")
    path.write_text("1 / 0\n")
    with pytest.raises(PolyschedError, match="cannot be run: ZeroDivisionError"):
        find_policy(f"{path}:choose")


def test_a_policy_is_itself():
    own = Policy("own", "nothing", lambda scop, dependences: ())
    assert find_policy(own) is own


def test_the_machine_reaches_policies():
    many, few = MachineFacts(64, 8), MachineFacts(2, 4)
    assert recipes("machine", machine=many)[0].objectives[0] == "ADA"
    assert recipes("machine", machine=few)[0].objectives[0] == "OPIR"
    assert recipes("machine/1", machine=many)[0].objectives[0] == "ADA"


def test_dedicated_recipes_follow_the_program():
    def names(program):
        return {o for r in recipes("dedicated", program) for o in r.objectives}

    assert "SKEWPAR" in names(scops.jacobi_2d())
    assert "SKEWPAR" not in names(scops.gemm())


def test_partitions_that_are_the_same_are_asked_once():
    program = programs.two_products()
    found = recipes("partitions", program)
    assert [r.partition for r in found] == ["ALL", "SINGLE", "WRITE", "DIM"]
    assert [r.partition for r in recipes("partitions", scops.jacobi_2d())] == ["ALL"]


def test_every_policy_has_a_summary():
    for policy in POLICIES.values():
        assert policy.summary
        assert len(policy.summary) < 88


def test_a_database_of_ones_own_is_asked(tmp_path):
    program = scops.gemm()
    dependences = compute_dependences(program)
    first = rank_dependences(program, dependences)[0]
    file = tmp_path / "mine.json.gz"
    database(entry("a", first.key, ("DGF", "SO"))).save(file)
    recipes = find_policy(f"database:{file}/1").recipes(program, dependences)
    assert recipes[0].parts[0].objectives[:2] == ("DGF", "SO")


def test_a_file_that_is_no_database_is_refused(tmp_path):
    file = tmp_path / "mine.json.gz"
    with pytest.raises(PolyschedError, match="cannot read the database"):
        find_policy(f"database:{file}")
    file.write_text("{}")
    with pytest.raises(PolyschedError, match="is no nano-kernel database"):
        find_policy(f"database:{file}")
