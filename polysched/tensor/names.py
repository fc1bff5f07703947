"""Identifiers for C and isl: for what Python names, and for what it does not name."""

from __future__ import annotations

from collections.abc import Iterable

_KEYWORDS = """
auto break case char const continue default do double else enum extern float for goto
if inline int long register restrict return short signed sizeof static struct switch
typedef union unsigned void volatile while main asm typeof bool true false NULL errno
signgam linux unix I
"""
_LIBRARY = """
acos acosh asin asinh atan atan2 atanh cbrt ceil copysign cos cosh drem erf erfc exp
exp10 exp2 expm1 fabs fdim finite floor fma fmax fmin fmod frexp gamma hypot ilogb isinf
isnan isfinite signbit j0 j1 jn ldexp lgamma llrint llround log log10 log1p log2 logb
lrint lround modf nan nearbyint nextafter nexttoward pow remainder remquo rint round
scalb scalbln scalbn significand sin sincos sinh sqrt tan tanh tgamma trunc y0 y1 yn abs
labs div index time free malloc
"""
_MACROS = """
NAN INFINITY HUGE_VAL EOF BUFSIZ M_PI M_E
"""
_SYSTEM = """
abort access alarm atof atoi brk bsearch chdir chmod chown clock clone close creat
difftime drand48 dup environ erand48 exit fork getpid ioctl kill link lseek memcpy
memset mktime mlock mmap mount munmap nice open pause pipe printf puts qsort raise
rand read reboot recv rename rmdir sbrk select send signal sleep socket srand stat
strlen swab sync syscall system truncate ttyname umask umount unlink usleep vfork wait
write
"""
_ISL = """
max min floor floord ceil ceild mod and or not implies exists infty infinity rat
"""
_TAKEN = frozenset((_KEYWORDS + _LIBRARY + _MACROS + _ISL).split())
_FUNCTIONS = frozenset(_SYSTEM.split())  # of headers that the entry of a call includes
_ITERATORS = ("i", "j", "k", "l", "m", "n")


class Names:
    """Gives each thing a C name of its own, like its Python name where possible."""

    def __init__(self, reserved: Iterable[str] = ()) -> None:
        self._reserved = set(reserved)
        self._used: set[str] = set()
        self._running: set[str] = set()

    def new(self, hint: str) -> str:
        """A name for an array, variable or parameter."""
        name = self._free(self._valid(hint), self._used | self._iterators())
        self._used.add(name)
        return name

    def parameter(self, hint: str) -> str:
        """A name for a parameter; iterators are named around it."""
        name = self._free(self._valid(hint), self._used)
        self._used.add(name)
        return name

    def function(self, hint: str) -> str:
        """A name for the function itself."""
        return self.parameter(f"{hint}_" if hint in _FUNCTIONS else hint)

    def iterator(self, hint: str = "") -> str:
        """A name for a loop's iterator, until it is released."""
        if hint:
            name = self._free(self._valid(hint), self._used | self._running)
        else:
            taken = self._used | self._running | self._reserved
            free = [n for n in _ITERATORS if n not in taken]
            name = free[0] if free else self._free("i_1", taken)
        self._running.add(name)
        return name

    def release(self, name: str) -> None:
        """The loop is over."""
        self._running.discard(name)

    def _iterators(self) -> set[str]:
        return {*_ITERATORS, *self._running}

    @staticmethod
    def _valid(hint: str) -> str:
        is_taken = hint in _TAKEN
        if is_taken or hint.startswith(("np_", "ps_", "_")) or not hint.isascii():
            plain = hint.strip("_") if hint.isascii() else "x"
            return f"{plain or 'v'}_" if not plain[:1].isdigit() else f"v_{plain}_"
        return hint

    @staticmethod
    def _free(name: str, taken: set[str]) -> str:
        if name not in taken:
            return name
        k = 2
        while f"{name}_{k}" in taken:
            k += 1
        return f"{name}_{k}"
