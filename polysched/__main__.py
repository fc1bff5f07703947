"""``python -m polysched``: the same as the `polysched` command."""

from polysched.cli import run

if __name__ == "__main__":
    run()
