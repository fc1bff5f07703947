"""The terminal explorer: a space as a table, what each schedule is, times on demand.

Needs textual, the optional extra "tui"; `polysched.cli.explore` imports this package
when the command is used.
"""

from polysched.cli.explorer.app import Explorer
from polysched.cli.explorer.measuring import (
    CancelledError,
    Measured,
    Measurer,
    ProgramMeasurer,
)

__all__ = ["CancelledError", "Explorer", "Measured", "Measurer", "ProgramMeasurer"]
