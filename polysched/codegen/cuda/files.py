"""Device code of several SCoPs in one file."""

from __future__ import annotations

from collections.abc import Sequence

from polysched.codegen.cuda.text import PRELUDE


def join_device(texts: Sequence[str], comment: Sequence[str] = ()) -> str:
    r"""One file of the device code of several SCoPs, with what they share once.

    Parameters
    ----------
    texts : sequence of str
        Device code as `print_cuda` gives it; no two of the same SCoP.
    comment : sequence of str
        Lines above all.

    Returns
    -------
    str
        Lines ended by ``\n``.
    """
    head = ["/*", *(f" * {line}".rstrip() for line in comment), " */", ""]
    parts = [PRELUDE, *(text.replace(PRELUDE, "", 1).strip("\n") for text in texts)]
    top = "\n".join(head) if comment else ""
    return top + "\n".join(part.rstrip("\n") + "\n" for part in parts)
