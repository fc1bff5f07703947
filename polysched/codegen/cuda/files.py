"""Device code of several SCoPs in one file."""

from __future__ import annotations

from collections.abc import Sequence

from polysched.codegen.cuda.tensor_text import (
    TENSOR_DOUBLES,
    TENSOR_FLOATS,
    TENSOR_HALVES,
)
from polysched.codegen.cuda.text import (
    BULK_PRELUDE,
    HALF_PRELUDES,
    HOST_FUNCTION,
    PRELUDE,
    SIZES_PRELUDE,
)


def is_device_code(text: str) -> bool:
    """Whether a text is device code of SCoPs, by this release or an earlier one."""
    return f'extern "C" void {HOST_FUNCTION}' in text


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
    tensor = (TENSOR_DOUBLES, TENSOR_FLOATS, *TENSOR_HALVES.values())
    preludes = (PRELUDE, SIZES_PRELUDE, *HALF_PRELUDES.values(), BULK_PRELUDE, *tensor)
    shared = [p for p in preludes if any(p in text for text in texts)]
    own = list(texts)
    for prelude in shared:
        own = [text.replace(prelude, "", 1) for text in own]
    parts = [*shared, *(text.strip("\n") for text in own)]
    top = "\n".join(head) if comment else ""
    return top + "\n".join(part.rstrip("\n") + "\n" for part in parts)
