"""The page lists the operators that are taken."""

from __future__ import annotations

import re
from pathlib import Path

from polysched.torch import accepted_operators

PAGE = Path(__file__).parents[3] / "docs" / "torch.md"


def test_operators_are_listed():
    section = PAGE.read_text().split("## Operators")[1].split("## ")[0]
    (listed,) = re.findall(r"```\n(.*?)```", section, re.DOTALL)
    assert listed.split() == sorted({n.split(".")[0] for n in accepted_operators()})
