"""What a Python kernel shows of itself: its function, and what was built of it."""

from __future__ import annotations

from polysched.base import FrontendError
from polysched.kernel import Built, Kernel
from polysched.kernel.fingerprint import read_source
from polysched.show.highlight import highlight
from polysched.show.markup import Html, card, code, details, element, fields, table


def kernel_card(kernel: Kernel) -> Html:
    """The card of a kernel."""
    annotated = kernel.signature.annotated
    told = {n: annotated.get(n, "from the call") for n in kernel.signature.names}
    body = [fields({code(n): code(t) for n, t in told.items()})]
    if kernel.built:
        rows = [(code(_types(b)), code(b.schedule), b.note) for b in kernel.built]
        body.append(table(("built for", "schedule", "because"), rows))
    else:
        body.append(element("p", "Nothing is built yet.", class_="note"))
    try:
        text = element("pre", read_source(kernel.function))
        body.append(details("function", element("div", text, class_="code")))
    except FrontendError:  # its file is not there any more
        pass
    return card(f"Kernel {kernel.function.__name__}", *body)


def built_card(built: Built) -> Html:
    """The card of a kernel that was built for one signature."""
    told = {
        "takes": code(_types(built)),
        "schedule": code(built.schedule),
        "because": built.note,
        "directory": code(built.stored.directory),
    }
    whence = "built now" if built.was_built else "from the cache"
    name = built.stored.manifest.function.name
    text = details("C text", highlight(built.source))
    return card(f"Kernel {name}, built", fields(told), text, note=whence)


def _types(built: Built) -> str:
    return ", ".join(f"{n}: {t}" for n, t in built.types.items())
