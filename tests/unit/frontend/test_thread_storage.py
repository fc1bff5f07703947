"""What threads have of their own, and shared work of a region around, is refused."""

import pytest

pytestmark = pytest.mark.cc

LOOP = "for (int i = 0; i < n; i++)"
FILE = """
{declared}
static double b[90];
static void put(int i) {{ t[i] = b[i]; }}
void f(int n)
{{
#pragma scop
{region}
#pragma endscop
}}
"""
DECLARED = [
    "static _Thread_local double t[90];",
    "static __thread double t[90];",
    "static double t[90];\n#pragma omp threadprivate(t)",
    "static double u, t[90];\n#pragma omp threadprivate(u, t)",
]


@pytest.mark.parametrize("declared", DECLARED)
@pytest.mark.parametrize("statement", ["t[i] += b[i];", "b[i] = t[2];", "put(i);"])
def test_variables_of_each_thread_are_refused(parse, declared, statement):
    text = FILE.format(declared=declared, region=f"{LOOP} {statement}")
    (refusal,) = parse(text).refusals
    assert "each thread has a 't' of its own" in str(refusal)


def test_others_of_the_file_are_taken(parse):
    text = FILE.format(declared=DECLARED[0], region=f"{LOOP} b[i] += 1;")
    assert len(parse(text).scops) == 1


@pytest.mark.parametrize(
    "directive", ["for", "for schedule(static)", "single", "barrier", "critical(x)"]
)
def test_work_of_a_region_around_is_refused(parse, directive):
    region = f"#pragma omp {directive}\n{LOOP}\nb[i] += 1;"
    program = parse(FILE.format(declared="static double t[90];", region=region))
    assert not program.scops
    (refusal,) = program.refusals
    assert f"found #pragma omp {directive.split('(')[0].split()[0]} " in str(refusal)
    assert refusal.where.line == 8


def test_whole_parallel_loops_are_read_as_loops(parse):
    region = (
        f"#pragma omp parallel for\n{LOOP} {{\n#pragma omp simd\n"
        "for (int j = 0; j < 9; j++)\n#pragma omp atomic\nb[j] += i;\n}"
    )
    (scop,) = parse(FILE.format(declared="static double t[90];", region=region)).scops
    assert [s.iterators for s in scop.statements] == [("i", "j")]
