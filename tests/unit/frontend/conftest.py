import textwrap

import pytest

from polysched.frontend import parse_c


@pytest.fixture
def parse(tmp_path):
    """Parse a C text; further keywords go to `parse_c`."""

    def run(text, name="case.c", **options):
        path = tmp_path / name
        path.write_text(textwrap.dedent(text))
        return parse_c(path, **options)

    return run


@pytest.fixture
def scop_of(parse):
    """The SCoP of one function whose body is given, with its declarations."""

    def run(body, head="int n, int m, double *x, double *y", before="", after=""):
        text = (
            f"{before}\nvoid f({head})\n{{\n#pragma scop\n{body}\n#pragma endscop\n"
            f"{after}\n}}\n"
        )
        program = parse(text)
        assert [str(r) for r in program.refusals] == []
        return program.scops[0]

    return run
