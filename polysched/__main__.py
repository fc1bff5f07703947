"""``python -m polysched``: the same as the `polysched` command."""

import sys

from polysched.cli import main

if __name__ == "__main__":
    sys.exit(main())
