"""`Kernel`: a Python function that runs as native code."""

from __future__ import annotations

import functools
import importlib
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from polysched.base import Shown
from polysched.kernel.cache import (
    Manifest,
    Stored,
    cache_directory,
    clear,
    look_up,
    look_up_or_build,
)
from polysched.kernel.entry import list_constants
from polysched.kernel.fingerprint import make_key, tuned_key
from polysched.kernel.native import Entry, Library
from polysched.kernel.options import KernelOptions
from polysched.kernel.refusal import find_refusal, fit_arguments
from polysched.kernel.signature import KernelSignature, key_of, sizes_of
from polysched.tensor import ArgType, ScalarArg

if TYPE_CHECKING:
    from polysched.ir import Program, Scop
    from polysched.kernel.build import Lowered
    from polysched.workflow import Explanation, ProgramSpace, Tuned

_MAX_TRIED = 4  # built kernels that a call is offered to before its types are looked at


@dataclass(frozen=True, eq=False, repr=False)
class Built(Shown):
    """A kernel for one signature, ready to be called.

    Attributes
    ----------
    stored : Stored
        Its place on disk.
    library : Library
        Its library in this process.
    was_built : bool
        Whether it was built by this call; else it was found on disk.
    """

    stored: Stored
    library: Library
    was_built: bool

    @property
    def schedule(self) -> str:
        """Id of its schedule; "original" for the order of the source."""
        return self.stored.manifest.schedule

    @property
    def note(self) -> str:
        """Why that schedule."""
        return self.stored.manifest.note

    @property
    def source(self) -> str:
        """The C text that was compiled."""
        return self.stored.source

    @property
    def types(self) -> Mapping[str, ArgType]:
        """What it takes."""
        return self.stored.manifest.types

    def __repr__(self) -> str:
        taken = ", ".join(f"{n}: {t}" for n, t in self.types.items())
        name = self.stored.manifest.function.name
        whence = "built now" if self.was_built else "from the cache"
        return f"<built {name}({taken}), schedule {self.schedule}, {whence}>"


class Kernel(Shown):
    """A Python function that is scheduled, compiled, kept on disk, called like itself.

    Made by `polysched.kernel.kernel`, to be used as a decorator. The first call with
    new types builds, or finds what was built before; arguments are checked at every
    call. Other threads run meanwhile; a kernel may be called from several at once.

    Parameters
    ----------
    function : callable
        The function.
    options : KernelOptions
        How it is built and run.
    """

    def __init__(
        self, function: Callable[..., Any], options: KernelOptions | None = None
    ) -> None:
        functools.update_wrapper(self, function)
        self.function = function
        self.options = options or KernelOptions()
        self.signature = KernelSignature(function)
        self._entries: tuple[Entry, ...] = ()
        self._built: dict[tuple[object, ...], Built] = {}
        self._lock = threading.RLock()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if not kwargs:
            for entry in self._entries:
                result = entry(*args)
                if result is not NotImplemented:
                    return result
        return self._call_slowly(args, kwargs)

    def __repr__(self) -> str:
        shown = ", ".join(
            f"{n}: {self.signature.annotated.get(n, 'from the call')}"
            for n in self.signature.names
        )
        return f"<kernel {self.function.__name__}({shown}), {len(self._built)} built>"

    @property
    def built(self) -> tuple[Built, ...]:
        """What was built or found on disk so far, in this process."""
        with self._lock:
            return tuple(self._built.values())

    def build(self, *args: Any, **kwargs: Any) -> Built:
        """Build the kernel for given arguments or types, or find it on disk.

        Arguments may be arrays and numbers or their types, ``ps.float64[100, 20]``;
        what is annotated can be left out. Sizes that are known are what the schedule
        is chosen for.

        Raises
        ------
        FrontendError
            If something in the function is not taken.
        ToolchainError
            If the compiler is missing.
        """
        types, values = self._read(args, kwargs)
        return self._find_built(types, values)

    def program(self, *args: Any, **kwargs: Any) -> Program:
        """The C program that the function becomes, read; arguments as for `build`."""
        return self._lower(args, kwargs)[0].program

    def scop(self, *args: Any, **kwargs: Any) -> Scop:
        """Its static control part."""
        return self._lower(args, kwargs)[0].scop

    def space(self, *args: Any, **kwargs: Any) -> ProgramSpace:
        """Its legal schedules, ranked for the sizes that are known."""
        lowered, sizes = self._lower(args, kwargs)
        found: ProgramSpace = _builder().build_kernel_space(
            lowered, self.options, sizes
        )
        return found

    def tune(self, *args: Any, **kwargs: Any) -> Tuned:
        """Measure a few of its schedules; later calls use the best.

        Sizes must be known, from arguments or from types.
        """
        lowered, sizes = self._lower(args, kwargs)
        tuned: Tuned = _builder().tune_kernel(lowered, self.options, sizes)

        def build(directory: Path) -> Manifest:
            found: Manifest = _builder().build_tuned(
                lowered, tuned, self.options, directory
            )
            return found

        root = cache_directory(self.options.cache)
        key = tuned_key(make_key(self.function, lowered.types, self.options))
        clear(root, [key])
        self._take(lowered.types, *look_up_or_build(root, key, build))
        return tuned

    def explain(
        self, *args: Any, schedule: str | None = None, **kwargs: Any
    ) -> Explanation:
        """Why the schedule ranked first, or a named one, is what it is."""
        return self.space(*args, **kwargs).variant(schedule).explain()

    def to_c(self, *args: Any, **kwargs: Any) -> str:
        """The C text that a call runs; builds the kernel where that was not done."""
        return self.build(*args, **kwargs).source

    @staticmethod
    def clear_cache(cache: str | Path | None = None) -> int:
        """Remove all built kernels from a cache directory; says how many there were."""
        return clear(cache_directory(cache))

    def _call_slowly(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Bind, find or build, check in words, convert numbers, call."""
        given = self.signature.bind(args, kwargs)
        values = list(given.values())
        types = self.signature.types_of(given)
        built = self._built.get(key_of(types)) or self._find_built(types, given)
        manifest = built.stored.manifest
        fitted = fit_arguments(manifest, given)
        result = built.library.entry(*fitted)
        if result is NotImplemented:
            raise find_refusal(manifest, given, self.function.__name__)
        for value, plain in zip(values, fitted, strict=True):
            if result is plain:
                return value
        return result

    def _read(
        self, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[dict[str, ArgType], dict[str, object]]:
        values = self.signature.bind_known(args, kwargs)
        return self.signature.types_of(values), values

    def _lower(
        self, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[Lowered, dict[str, int]]:
        types, values = self._read(args, kwargs)
        lowered = _builder().lower_function(self.function, types, self.options.cc)
        return lowered, sizes_of(types, values)

    def _find_built(
        self, types: Mapping[str, ArgType], values: Mapping[str, object]
    ) -> Built:
        with self._lock:
            known = self._built.get(key_of(types))
            if known is not None:
                return known
            root = cache_directory(self.options.cache)
            key = make_key(self.function, types, self.options)
            tuned = look_up(root, tuned_key(key))
            if tuned is not None:
                return self._take(types, tuned, False)
            if self.options.tune:
                key = tuned_key(key)

            def build(directory: Path) -> Manifest:
                builder = _builder()
                lowered = builder.lower_function(self.function, types, self.options.cc)
                sizes = sizes_of(types, values)
                found: Manifest = builder.build_library(
                    lowered, self.options, sizes, directory
                )
                return found

            return self._take(types, *look_up_or_build(root, key, build))

    def _take(
        self, types: Mapping[str, ArgType], stored: Stored, was_built: bool
    ) -> Built:
        """Load what was built, and offer calls to it from now on."""
        manifest = stored.manifest
        constants = list_constants(manifest.function, manifest.types)
        library = Library(
            stored.library, self.function.__name__, constants, self.options.threads
        )
        built = Built(stored, library, was_built)
        with self._lock:
            self._built[key_of(types)] = built
            if self._is_told_apart(types):
                self._entries = (library.entry, *self._entries)[:_MAX_TRIED]
        return built

    def _is_told_apart(self, types: Mapping[str, ArgType]) -> bool:
        """Whether an entry takes only what has these types.

        An entry reads a Python number as any number; where the types come from the
        call, a number of NumPy is another type.
        """
        return all(
            name in self.signature.annotated or t.is_weak
            for name, t in types.items()
            if isinstance(t, ScalarArg)
        )


def _builder() -> Any:
    """What builds; it imports isl and the solver, which calls do not need."""
    return importlib.import_module("polysched.kernel.build")
