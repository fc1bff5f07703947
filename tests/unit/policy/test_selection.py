"""Objective lists from the database, one part of a partition at a time."""

from __future__ import annotations

from dataclasses import replace

from polysched.analysis import compute_dependences, find_violation
from polysched.base import Deadline
from polysched.policy import (
    MACHINE_CLASSES,
    PARTITION_ORDER,
    SETS,
    NanoDatabase,
    database_recipes,
    find_policy,
    rank_dependences,
    select_objectives,
    select_parts,
)
from polysched.schedule import MachineFacts, solve_recipe
from tests.unit import scops
from tests.unit.policy.databases import database, entry
from tests.unit.schedule import programs


def ranked(program):
    return rank_dependences(program, compute_dependences(program))


def test_answers_are_chained_and_nothing_is_chosen_twice():
    first, second = ranked(scops.gemm())[:2]
    db = database(
        entry("a", first.key, ("SO", "IP")), entry("b", second.key, ("IP", "DGF"))
    )
    selected = select_objectives([first, second], db)
    assert selected.objectives == ("SO", "IP", "DGF", "MIC")
    assert [c.appended for c in selected.choices] == [("SO", "IP"), ("DGF",)]


def test_selection_ends_when_objectives_do():
    first = ranked(scops.gemm())[0]
    db = database(entry("a", first.key, ("SO", "IP", "DGF")))
    assert len(select_objectives([first] * 5, db).choices) == 1


def test_a_fixed_prefix_stays_in_front():
    first = ranked(scops.gemm())[0]
    db = database(entry("a", first.key, ("SO", "IP")))
    assert select_objectives([first], db, ("DGF", "SO")).objectives == (
        *("DGF", "SO", "IP", "MIC"),
    )
    assert select_objectives([first], db, ("OP",)).objectives == ("OP", "MIC")


def test_reasons_name_the_nearest_key():
    program = scops.gemm()
    first = ranked(program)[0]
    other = replace(first.key, rect_sink=False)
    selected = select_objectives([first], database(entry("a", other, ("SO", "IP"))))
    assert "nearest: " in str(selected.choices[0])
    assert "not rectangular" in str(selected.choices[0])
    exact = select_objectives([first], database(entry("a", first.key, ("SO", "IP"))))
    assert str(exact.choices[0]).startswith("SO>IP for S1 -> S1 on C (")
    assert "nearest" not in str(exact.choices[0])


def test_every_part_gets_a_list_of_its_own():
    program = programs.two_products()
    dependences = compute_dependences(program)
    first = ranked(program)[0]
    db = database(entry("a", first.key, ("SO", "IP")))
    found = select_parts(program, dependences, "WRITE", db, MachineFacts())
    assert [part.statements for part, _ in found] == [("S0", "S1"), ("S2", "S3")]
    assert all(part.objectives[-1] == "MIC" for part, _ in found)
    assert all(part.shape == "unit" for part, _ in found)


def test_shipped_rows_give_legal_schedules_under_every_partition():
    program = programs.two_products()
    dependences = compute_dependences(program)
    recipes = database_recipes(program, dependences, MachineFacts(4, 4))
    names = [r.partition for r in recipes]
    assert names == [n for n in PARTITION_ORDER if n in names]
    assert len(recipes) >= 3  # DIM and SELFDEP are the same groups
    for recipe in recipes:
        solved = solve_recipe(program, dependences, recipe, Deadline.after(60))
        assert find_violation(solved.tree, dependences, program) is None


def test_shipped_rows_know_that_strides_matter_to_a_product():
    program = programs.matmul("i j k")
    dependences = compute_dependences(program)
    (recipe,) = database_recipes(program, dependences, MachineFacts(4, 4))
    solved = solve_recipe(program, dependences, recipe, Deadline.after(60))
    inner = solved.rows["S0"].linear[-1]
    assert inner.affine_text(("i", "j", "k")) == "1j"


def test_twelve_objectives_are_shipped_too():
    wide = NanoDatabase.shipped(12)
    assert wide.objectives == SETS[12]
    assert wide.machines == tuple(MACHINE_CLASSES)
    assert set(wide.keys) == set(NanoDatabase.shipped(6).keys)
    program = programs.two_products()
    dependences = compute_dependences(program)
    recipes = find_policy("database-12").recipes(program, dependences)
    names = {o for r in recipes for part in r.parts for o in part.objectives}
    assert names - {*SETS[6], "MIC"}
