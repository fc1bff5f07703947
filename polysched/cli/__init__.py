"""cli: the `polysched` command. Arguments in; tables, JSON and exit codes out.

Parses, calls `workflow`, prints. Results go to standard output, all else to standard
error; exit status 0 done, 1 refused or failed, 2 usage. May import every other room.
"""

from polysched.cli.app import main, run

__all__ = ["main", "run"]
