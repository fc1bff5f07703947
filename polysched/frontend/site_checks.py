"""What stands around a SCoP in its function, and what that forbids inside."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pycparser import c_ast

from polysched.frontend.actions import Surroundings
from polysched.frontend.aliasing import find_overlap, find_shared
from polysched.frontend.builder import Draft
from polysched.frontend.declarations import Symbol
from polysched.frontend.liveness import has_escaped, is_mentioned_after, is_read_after
from polysched.frontend.neighbours import find_neighbours
from polysched.frontend.objects import Objects
from polysched.frontend.scoping import ScopSite
from polysched.ir import Statement, assignments
from polysched.sets import read_set


class SiteChecks:
    """Checks that the model of a SCoP is right where it stands.

    Parameters
    ----------
    site : ScopSite
        The function around it.
    around : Surroundings
        What was found in it.
    objects : Objects
        What it accesses.

    Attributes
    ----------
    compared : set of frozenset of Symbol
        Pairs of pointers into one array that `keep_apart` has compared.
    """

    def __init__(self, site: ScopSite, around: Surroundings, objects: Objects) -> None:
        self._site = site
        self._around = around
        self._objects = objects
        self.compared: set[frozenset[Symbol]] = set()

    def check(self, drafts: Sequence[Draft]) -> None:
        """Refuse what holds for no sizes."""
        self._check_declarations()
        self._check_iterators()
        self._check_overlap()
        self._check_held(drafts)

    def _check_declarations(self) -> None:
        """What the SCoP declares at its top must not be used behind it."""
        for item in self._site.items:
            if not isinstance(item, (c_ast.Decl, c_ast.Typedef)) or not item.name:
                continue
            name = item.name
            if is_mentioned_after(self._site, name):
                self._around.refuser.unsupported(
                    item, f"{name!r} is declared inside the scop and used behind it",
                    hint="declare it in front of #pragma scop",
                )  # fmt: skip

    def _check_iterators(self) -> None:
        """Iterators from outside must not carry their last value out of the SCoP."""
        for symbol, node in self.outer_iterators():
            if symbol.storage in {"global", "static"}:
                self._around.refuser.unsupported(
                    node, f"the loop iterator {symbol.name!r} is a {symbol.storage} "
                    "variable, whose last value may be read elsewhere",
                    hint="declare it in the function or in the loop header",
                )  # fmt: skip
            escaped = has_escaped(self._site.function, symbol.name, False)
            if escaped or is_read_after(self._site, symbol.name):
                self._around.refuser.unsupported(
                    node, f"the loop iterator {symbol.name!r} is read after the scop",
                    hint="use a variable of its own for what is read later",
                )  # fmt: skip

    def outer_iterators(self) -> list[tuple[Symbol, Any]]:
        """Variables from outside that count loops, each with a loop's header."""
        survey = self._around.survey
        return [(s, n) for s, n in survey.iterators.items() if s not in survey.declared]

    def _check_overlap(self) -> None:
        """A pointer set from another accessed array shares its memory."""
        sizes = map(self._site.scope.find, self._objects.parameters)
        accessed = [
            *(o.symbol for o in self._objects.all()),
            *(symbol for symbol in sizes if symbol is not None),
        ]
        found = find_overlap(
            self._site.pointers,
            self._site.function,
            accessed,
            set(self._around.survey.writes),
        )
        if found is not None:
            pointer, other, node = found
            self._around.refuser.unsupported(
                node, f"{pointer.name!r} may point into {other.name!r}, and the scop "
                "uses both and writes one of them",
                hint="use one name for one piece of memory inside a scop",
            )  # fmt: skip

    def _check_held(self, drafts: Sequence[Draft]) -> None:
        """Where pointers point to must stay: nothing writes what it is read from."""
        held = self._around.reader.held
        for draft in drafts:
            for assign in (a for action in draft.body for a in assignments(action)):
                name = assign.target.array
                if name in held:
                    self._around.refuser.unsupported(
                        held[name], f"this pointer's place is read from {name!r}, "
                        "which the scop writes",
                        hint="subscript the array itself",
                    )  # fmt: skip

    def keep_apart(self, statements: Sequence[Statement]) -> None:
        """Pointers into one array are apart for some sizes, or the SCoP is refused."""
        ran = read_set("{ : false }")
        for statement in statements:
            ran = ran.union(statement.domain.params())
        for pair in find_neighbours(self._site, self._objects):
            common = pair.common(statements)
            if common is None:
                continue
            self.compared.add(frozenset({pair.first.symbol, pair.second.symbol}))
            if not self._around.assumptions.exclude(common.params(), ran):
                first, second = pair.first.name, pair.second.name
                self._around.refuser.unsupported(
                    pair.node, f"{second!r} points {pair.distance_text} elements "
                    f"from {first!r} into the same array, and the scop writes "
                    "what both reach",
                    hint="use one name for one piece of memory inside a scop",
                )  # fmt: skip
        self._refuse_shared()

    def _refuse_shared(self) -> None:
        """No two pointers that change elsewhere lead into one array unasked."""
        shared = find_shared(
            self._site,
            [o.symbol for o in self._objects.all()], set(self._around.survey.writes),
        )  # fmt: skip
        for first, second, root, node in shared:
            if frozenset({first, second}) not in self.compared:
                self._around.refuser.unsupported(
                    node, f"{first.name!r} and {second.name!r} may both point into "
                    f"{root.name!r}, and the scop uses both and writes one of them",
                    hint="set local pointers to their places in front of the scop, "
                    "double *p = A, *q = A + n: how far apart they are is then asked",
                )  # fmt: skip
