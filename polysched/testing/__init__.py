"""testing: for tests, ours and users'. Random programs, oracle comparison.

Takes seeds and programs, gives mismatches between the compiled original, the
interpreter and the program under other schedules. May import every other room.
"""

from polysched.testing.build import ScopBuilder
from polysched.testing.candidates import Candidate, Candidates, prepare
from polysched.testing.differential import Schedules, check_program
from polysched.testing.generate import random_scop, random_unit
from polysched.testing.report import CheckOptions, Mismatch, Report
from polysched.testing.schedules import share_loops, simple_schedules, tile_bands
from polysched.testing.shape import Shape
from polysched.testing.shrink import shrink
from polysched.testing.spaces import SmallSpaces
from polysched.testing.unit import RandomUnit, program_text

__all__ = [
    "Candidate",
    "Candidates",
    "CheckOptions",
    "Mismatch",
    "RandomUnit",
    "Report",
    "Schedules",
    "ScopBuilder",
    "Shape",
    "SmallSpaces",
    "check_program",
    "prepare",
    "program_text",
    "random_scop",
    "random_unit",
    "share_loops",
    "shrink",
    "simple_schedules",
    "tile_bands",
]
