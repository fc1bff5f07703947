"""What belongs to threads around a SCoP: variables of each, and shared work.

Threads of a generated loop would find their own copies of a variable that the thread
around the SCoP has set, and a directive of a parallel region that is open around it
says which part of the work is whose.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from pycparser import c_ast

from polysched.base import FrontendError
from polysched.frontend.declarations import Scope, Symbol
from polysched.frontend.preprocess import Line
from polysched.frontend.refusal import Refuser
from polysched.frontend.trees import parts

_OMP = re.compile(r"\s*#\s*pragma\s+omp\s+(.*)")
_PRIVATE = re.compile(r"threadprivate\s*\(([^)]*)\)")
_OF_A_REGION = frozenset(
    {
        "for", "sections", "section", "single", "master", "masked", "barrier",
        "atomic", "critical", "ordered", "task", "taskloop", "taskwait", "distribute",
        "loop",
    }
)  # fmt: skip
_OWN = "_Thread_local"


def mark_private(scope: Scope, lines: Iterable[Line]) -> None:
    """Give variables that ``omp threadprivate`` names the storage that it means."""
    for line in lines:
        directive = _OMP.match(line.text)
        private = None if directive is None else _PRIVATE.match(directive[1])
        for name in () if private is None else private[1].split(","):
            symbol = scope.find(name.strip())
            if symbol is not None and isinstance(symbol.node, c_ast.Decl):
                symbol.node.storage.append(_OWN)


def check_threads(
    items: Sequence[Any], scope: Scope, lines: Iterable[Line], refuser: Refuser
) -> None:
    """Refuse a SCoP of which threads have parts.

    Parameters
    ----------
    items : sequence of nodes
        Its statements.
    scope : Scope
        Names visible at its start.
    lines : iterable of Line
        Its lines.
    refuser : Refuser
        Says no.
    """
    is_open = False
    for line in lines:
        match = _OMP.match(line.text)
        words = re.findall(r"\w+", match[1]) if match is not None else []
        is_open = is_open or "parallel" in words or "teams" in words
        if words and words[0] in _OF_A_REGION and not is_open:
            raise FrontendError(
                f"found #pragma omp {words[0]} inside a scop: in a parallel region "
                "around it every thread would run all of the scop",
                where=refuser.places.location(line.file, line.number),
                hint="put the scop into code of one thread, without such directives",
            )
    for item in items:
        for node in parts(item):
            symbol = scope.find(node.name) if isinstance(node, c_ast.ID) else None
            if symbol is not None:
                check_storage(symbol, node, refuser)


def check_storage(symbol: Symbol, node: Any, refuser: Refuser) -> None:
    """Refuse a variable of which each thread has its own."""
    if _OWN in getattr(symbol.node, "storage", ()):
        refuser.unsupported(
            node, f"each thread has a {symbol.name!r} of its own, and threads that "
            "share a loop would not find this one's",
            hint="copy it to a variable of the function in front of the scop",
        )  # fmt: skip
