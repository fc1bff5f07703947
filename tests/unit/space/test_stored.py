"""A saved space comes back without solving, and a changed file is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from polysched.base import IllegalScheduleError, PolyschedError
from polysched.ir import ScheduleTree
from polysched.space import ScheduleSpace, load_space, save_spaces
from polysched.space.digest import scop_digest
from polysched.transform import apply_script, parse_script, print_script
from tests.unit import scops
from tests.unit.space.made import gemm_space


@pytest.fixture(scope="module")
def space() -> ScheduleSpace:
    return gemm_space()


@pytest.fixture
def path(space: ScheduleSpace, tmp_path: Path) -> Path:
    file = tmp_path / "space.json"
    space.save(file)
    return file


def _change(path: Path, position: int, **changes: Any) -> None:
    data = json.loads(path.read_text())
    data["spaces"][0]["schedules"][position].update(changes)
    path.write_text(json.dumps(data))


def test_space_comes_back_as_it_was(space: ScheduleSpace, path: Path) -> None:
    found = load_space(path, scops.gemm())
    assert found.to_json() == space.to_json()
    assert [s.script for s in found] == [s.script for s in space]
    assert [s.stages for s in found] == [s.stages for s in space]
    assert found.size == space.size
    assert found.dropped == space.dropped
    assert found.best.predicted_seconds == space.best.predicted_seconds
    assert found.filter("is_tiled").to_csv() == space.filter("is_tiled").to_csv()


def test_selection_is_saved_with_its_reasons(space: ScheduleSpace, path: Path) -> None:
    space.filter("is_tiled").save(path)
    found = load_space(path, scops.gemm())
    assert len(found) == found.size.kept == 3
    assert found.drop_counts()["filtered out"] == 4


def test_another_program_is_refused(path: Path) -> None:
    with pytest.raises(PolyschedError, match=r"this seidel: .* spaces of gemm"):
        load_space(path, scops.gauss_seidel())
    gemm = scops.gemm()
    statement = replace(gemm.statements[0], text="C[i][j] = 0;")
    changed = replace(gemm, statements=(statement, *gemm.statements[1:]))
    with pytest.raises(PolyschedError, match="no space of this gemm"):
        load_space(path, changed)


def test_digest_ignores_the_name_only() -> None:
    gemm = scops.gemm()
    assert scop_digest(scops.gemm()) == scop_digest(gemm)
    assert scop_digest(replace(gemm, name="other")) == scop_digest(gemm)
    assert scop_digest(replace(gemm, statements=gemm.statements[:1])) != (
        scop_digest(gemm)
    )


def test_the_right_one_of_several_spaces_is_read(
    space: ScheduleSpace, tmp_path: Path
) -> None:
    other = replace(
        space, scop=replace(space.scop, statements=space.scop.statements[:1])
    )
    save_spaces([other, space], tmp_path / "two.json")
    assert load_space(tmp_path / "two.json", scops.gemm()).to_json() == space.to_json()


def test_illegal_tree_is_refused_with_the_violation(
    space: ScheduleSpace, path: Path
) -> None:
    position = next(
        k for k, s in enumerate(space) if s.objectives == ("OP",) and not s.script
    )
    text = space.schedules[position].tree.text
    backwards = ScheduleTree.parse(text.replace("-> [(k)]", "-> [(-k)]"))
    assert backwards.text != text
    _change(path, position, tree=backwards.text, id=backwards.key)
    with pytest.raises(IllegalScheduleError, match=r"is illegal: .* dependence on C"):
        load_space(path, scops.gemm())


def test_wrong_parallel_mark_is_refused(space: ScheduleSpace, path: Path) -> None:
    position = next(
        k for k, s in enumerate(space) if s.objectives == ("OP",) and not s.script
    )
    script = parse_script("parallel(band=0, member=1)")  # that of k; not checked here
    tree = apply_script(space.schedules[position].tree, script)
    text = print_script(script)
    _change(path, position, tree=tree.text, id=tree.key, script=text)
    with pytest.raises(IllegalScheduleError, match="parallel loop leaves their order"):
        load_space(path, scops.gemm())


def test_missing_instances_are_refused(space: ScheduleSpace, path: Path) -> None:
    text = space.original.tree.text.replace("k < n", "k < n - 1")
    assert text != space.original.tree.text
    position = space.schedules.index(space.original)
    tree = ScheduleTree.parse(text)
    _change(path, position, tree=tree.text, affine=tree.text, id=tree.key)
    with pytest.raises(PolyschedError, match="does not run the instances of gemm"):
        load_space(path, scops.gemm())


def test_id_and_script_must_fit_the_tree(space: ScheduleSpace, path: Path) -> None:
    saved = path.read_text()
    _change(path, 0, id="0123456789")
    with pytest.raises(PolyschedError, match="tree of schedule 0123456789 was changed"):
        load_space(path, scops.gemm())
    path.write_text(saved)
    position = next(k for k, s in enumerate(space) if not s.script)
    _change(path, position, script="parallel(band=0, member=0)")
    with pytest.raises(PolyschedError, match=r"script of schedule \w+ was changed"):
        load_space(path, scops.gemm())


def test_what_is_no_such_file_is_refused(path: Path) -> None:
    gemm = scops.gemm()
    with pytest.raises(PolyschedError, match="cannot read"):
        load_space(path.with_name("none.json"), gemm)
    path.write_text("{")
    with pytest.raises(PolyschedError, match="is not JSON"):
        load_space(path, gemm)
    path.write_text('{"format": "other"}')
    with pytest.raises(PolyschedError, match="is no file of polysched spaces"):
        load_space(path, gemm)
    path.write_text('{"format": "polysched spaces", "version": 9}')
    with pytest.raises(PolyschedError, match="has version 9, expected 1"):
        load_space(path, gemm)
    path.write_text('{"format": "polysched spaces", "version": 1}')
    with pytest.raises(PolyschedError, match="has no list of spaces"):
        load_space(path, gemm)


def test_damaged_entries_are_named(path: Path) -> None:
    saved = path.read_text()
    data = json.loads(saved)
    del data["spaces"][0]["schedules"][0]["affine"]
    path.write_text(json.dumps(data))
    with pytest.raises(PolyschedError, match="is damaged: KeyError 'affine'"):
        load_space(path, scops.gemm())
    path.write_text(saved)
    _change(path, 0, tree="{ nonsense }")
    with pytest.raises(PolyschedError, match="not a schedule tree"):
        load_space(path, scops.gemm())


def test_unwritable_target_is_an_error(space: ScheduleSpace, tmp_path: Path) -> None:
    with pytest.raises(PolyschedError, match="cannot write the spaces to"):
        space.save(tmp_path / "missing" / "space.json")
    assert list(tmp_path.iterdir()) == []
