"""Structures of numbers of one type are read as rows of these numbers."""

import pytest

from polysched.codegen import print_openmp
from polysched.ir import original_tree

pytestmark = pytest.mark.cc

BEFORE = """\
typedef struct { double x, y, z; } vec3;
struct body { vec3 at, speed; double mass; };
struct pixel { unsigned char rgb[3]; };
struct mixed { int kind; double value; };
struct spaced { double a; } __attribute__((aligned(16)));
struct bits { int low : 3, high : 5; };
struct list { struct list *next; };
vec3 pos[20]; struct body all[20]; struct pixel image[20][30]; vec3 total;
struct tree { struct tree *left, *right; float at[3]; short depth; char name[5][4];
              struct mixed own; };
struct waves { char name; struct mixed parts[3]; double height; } waves[20];
struct net { char on; struct { float b, w[2][3]; } layer[2]; } nets[20];
struct large { double a[20][20]; } large[20];
struct tree trees[20]; struct mixed mixed[20]; struct spaced spaced[20];
struct bits bits[20]; struct list lists[20]; volatile vec3 port;
"""
LOOP = "for (int i = 0; i < 20; i++)"
# text, and the numbers that its statements read and write
ACCESSES = {
    "members": (f"{LOOP} pos[i].z = pos[i].x;", ["pos[i, 0]", "pos[i, 2]"]),
    "a member's member": (
        f"{LOOP} all[i].speed.y = all[i].mass;", ["all[i, 6]", "all[i, 4]"],
    ),
    "rows in a structure": (
        f"{LOOP} for (int c = 0; c < 3; c++) image[1][i].rgb[c] = image[i][2].rgb[2];",
        ["image[i, 2, 2]", "image[1, i, c]"],
    ),
    "one structure": (f"{LOOP} total.y = pos[i].y;", ["pos[i, 1]", "total[1]"]),
    "several types": (
        f"{LOOP} mixed[i].value = mixed[i].kind;", ["mixed[i, 0]", "mixed_value[i, 1]"],
    ),
    "several types, other members between": (
        f"{LOOP} for (int c = 0; c < 3; c++) trees[i].at[c] += trees[i].own.value;",
        ["trees_own_value[i, 8]", "trees[i, c + 4]", "trees[i, c + 4]"],
    ),
    "rows of rows": (
        f"{LOOP} for (int c = 0; c < 4; c++)"
        " trees[i].name[2][c] = trees[1].name[c][3];",
        ["trees_name[1, 4c + 33]", "trees_name[i, c + 38]"],
    ),
    "an array of structures in one": (
        f"{LOOP} for (int c = 0; c < 3; c++)"
        " waves[i].parts[c].value = waves[i].parts[0].kind;",
        ["waves_parts_kind[i, 2]", "waves_parts_value[i, 2c + 2]"],
    ),
    "rows in an array of structures in one": (
        f"{LOOP} for (int c = 0; c < 2; c++) nets[i].layer[c].w[1][2]"
        " = nets[i].layer[1].w[c][0];",
        ["nets_layer_b[i, 3c + 9]", "nets_layer_b[i, 7c + 7]"],
    ),
    "behind structures in an array": (
        f"{LOOP} pos[i].x = waves[i].height;", ["waves_height[i, 7]", "pos[i, 0]"],
    ),
    "through pointers": (
        f"{LOOP} {{ vec3 *p = &pos[i]; (*p).y = p->x; }}", ["pos[i, 0]", "pos[i, 1]"],
    ),
    "at a distance": (
        f"{LOOP} (pos + i)->y = (*(pos + i)).x;", ["pos[i, 0]", "pos[i, 1]"],
    ),
    "through a moved pointer": (
        "vec3 *p = pos + 1; for (int i = 0; i < 9; i++) p[i].x = p[i - 1].x;",
        ["pos[i, 0]", "pos[i + 1, 0]"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", ACCESSES)
def test_members_are_numbers_of_a_row(scop_of, case):
    text, expected = ACCESSES[case]
    (statement,) = scop_of(text, before=BEFORE).statements
    iterators = ", ".join(statement.iterators)
    for access, element in zip(statement.accesses, expected, strict=True):
        same = access.relation.read_from_str(
            access.relation.get_ctx(), f"{{ S0[{iterators}] -> {element} }}"
        )
        assert access.relation.is_equal(same.intersect_domain(statement.domain))


def test_the_c_text_takes_an_object_as_numbers(scop_of):
    scop = scop_of(f"{LOOP} total.x = image[0][i].rgb[0];", before=BEFORE)
    total, image = scop.arrays
    assert (image.base, image.source_name) == ("((unsigned char *)image)", "image")
    assert [p.value for p in image.pitches] == [90, 3]
    assert (total.base, total.pitches) == ("((double *)&total)", ())


def test_each_type_is_an_array_of_its_own(scop_of):
    scop = scop_of(f"{LOOP} mixed[i].value = mixed[i].kind;", before=BEFORE)
    kind, value = scop.arrays
    assert (kind.type.name, kind.base) == ("int", "((int *)mixed)")
    assert (value.type.name, value.base) == ("double", "((double *)mixed)")
    assert [a.pitches[0].value for a in scop.arrays] == [4, 2]
    assert kind.is_part
    assert value.source_name == "mixed"
    printed = print_openmp(scop, original_tree(scop))
    assert "((double *)mixed)[2 * t1 + 1] = ((int *)mixed)[4 * t1];" in printed


def test_a_private_structure_has_arrays_without_gaps(scop_of):
    text = f"{LOOP} {{ struct mixed m = mixed[i]; m.value += 1; mixed[i] = m; }}"
    scop = scop_of(text, before=BEFORE)
    private = [a for a in scop.arrays if a.storage == "scop"]
    assert [(a.type.name, a.extents[0].value, a.is_part) for a in private] == [
        ("int", 1, False), ("double", 1, False),
    ]  # fmt: skip


def test_flat_arrays_of_structures_get_their_dimensions(scop_of):
    text = (
        "for (int i = 1; i < n; i++) { vec3 *here = p + i * m; vec3 *up = here - m; "
        "for (int j = 0; j < m; j++) here[j].y = up[j].z; }"
    )
    scop = scop_of(text, "int n, int m, vec3 *p", BEFORE)
    read, written = scop.statements[0].accesses
    for access, element in ((read, "p[i - 1, j, 2]"), (written, "p[i, j, 1]")):
        same = f"{{ S0[i, j] -> {element} }}"
        relation = access.relation
        same = relation.read_from_str(relation.get_ctx(), same)
        assert relation.is_equal(same.intersect_domain(scop.statements[0].domain))
    (array,) = scop.arrays
    assert len(array.pitches) == 2
    assert array.pitches[-1].value == 3
    printed = print_openmp(scop, original_tree(scop))
    assert "((double *)p)[t1 * (3 * m) + 3 * t2 + 1]" in printed


def test_a_whole_structure_is_copied_number_by_number(scop_of):
    scop = scop_of(f"{LOOP} all[i].at = pos[i];", before=BEFORE)
    written = [
        s.writes[0].relation.range().project_out(3, 0, 1) for s in scop.statements
    ]
    assert [str(w.dim_max_val(0)) for w in written] == ["0", "1", "2"]


def test_a_structure_of_the_scop_is_private(scop_of):
    text = f"{LOOP} {{ vec3 d = {{i, 2, 3}}, e = d; pos[i].x = d.x + e.y; }}"
    scop = scop_of(text, before=BEFORE)
    private = [a for a in scop.arrays if a.storage == "scop"]
    assert [(a.name, a.view, a.is_private) for a in private] == [
        ("d", "", True), ("e", "", True),
    ]  # fmt: skip


REFUSED = {
    "gaps": ("spaced[i].a = 1;", "not at their natural places"),
    "out of its type": ("trees[0].at[i] = 1;", "leaves its row of 'trees'"),
    "too few subscripts": ("total.x = !trees[i].name[0];", "names no number"),
    "behind a pointer": ("trees[i].left->depth = 1;", "trees[i].left is a pointer"),
    "out of a row of rows": ("trees[0].name[i][0] = 1;", "leaves its row of 'trees"),
    "a large copy": ("large[i] = large[0];", "more than 256 numbers"),
    "bit fields": ("bits[i].low = 1;", "it has bit fields"),
    "pointers": ("lists[i].next = 0;", "no members that are numbers"),
    "a pointer beside numbers": (
        "trees[i].left = 0;",
        "trees[i].left is a pointer",
    ),
    "volatile": ("port.x = 1;", "is volatile"),
    "no C": ("total.x = all[i].at;", "the compiler refuses this: incompatible types"),
    "out of its row": ("image[0][i + 20].rgb[0] = 1;", "leaves its row of 'image'"),
    "out of its structure": ("image[0][i].rgb[i] = 1;", "leaves its row of 'image'"),
    "copied by choice": ("total = i ? pos[i] : pos[0];", "no structure that could be"),
    "of the function": ("own.x = 1;", "declared inside a function"),
    "hidden by the function": ("hidden.x = 1;", "declared inside a function"),
    "without a name": ("nameless.x = 1;", "has no name"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_other_structures_are_refused(parse, case):
    text, words = REFUSED[case]
    program = parse(
        f"{BEFORE}\nvoid f(void)\n{{\n  struct here {{ double x; }} own;"
        " struct body { double x; } hidden; struct { double x; } nameless;\n"
        f"#pragma scop\n{LOOP} {{ {text} }}\n#pragma endscop\n}}\n"
    )
    (refusal,) = program.refusals
    assert words in refusal.message
    assert refusal.where.line == BEFORE.count("\n") + 6
