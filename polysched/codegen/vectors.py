"""Types and variables of explicit vectors in generated code."""

from __future__ import annotations

from dataclasses import dataclass, field

from polysched.codegen.ctext import Names
from polysched.codegen.macros import Macros
from polysched.codegen.turned import Mix, mixer
from polysched.ir import ScalarType


@dataclass
class VectorNames:
    """Names for vector types and for what is held in vectors.

    Attributes
    ----------
    names : Names
        Source of identifiers.
    typedefs : dict of str to str
        Vector types in use: name to declaration.
    """

    names: Names
    typedefs: dict[str, str] = field(default_factory=dict)
    _taken: dict[str, str] = field(default_factory=dict)

    def type(self, type_: ScalarType, lanes: int) -> str:
        """The name of a vector type; of the element's where there is one lane."""
        if lanes == 1:
            return type_.name
        return self.take(f"ps_{type_.name.replace(' ', '_')}", lanes)

    def declare(self, type_: ScalarType, lanes: int) -> str:
        """Declare a vector type that is in use, once; its name."""
        name = self.type(type_, lanes)
        if lanes > 1:
            self.typedefs[name] = (
                f"typedef {type_.name} {name} __attribute__((vector_size("
                f"{lanes * type_.n_bytes}), aligned({type_.n_bytes}), may_alias));"
            )
        return name

    def declare_group(self, type_: ScalarType) -> str:
        """Declare a type of as many bytes as an integer has, at any address."""
        name = self.take("ps_group", type_.n_bytes)
        self.typedefs[name] = (
            f"typedef {type_.name} {name} __attribute__((aligned(1), may_alias));"
        )
        return name

    def mixer(self, type_: ScalarType, lanes: int, macros: Macros) -> Mix:
        """Writes vectors of elements of two others, whose type is declared."""
        word = "int" if type_.n_bytes == 4 else "long long"
        places = self.take(f"ps_{word.replace(' ', '_')}", lanes)
        self.typedefs[places] = (
            f"typedef {word} {places} "
            f"__attribute__((vector_size({lanes * type_.n_bytes})));"
        )
        return mixer(macros, places)

    def take(self, stem: str, number: int) -> str:
        """A free identifier; the same for the same stem and number."""
        wanted = f"{stem}{number}"
        if wanted not in self._taken:
            self._taken[wanted] = self.names.take(wanted)
        return self._taken[wanted]
