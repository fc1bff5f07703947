"""Helper macros that stand around generated code, those that it uses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from polysched.codegen.calls import CALL_MACROS
from polysched.codegen.ctext import Names, Text, call
from polysched.codegen.dot_macros import DOT_MACROS

_MACROS = {
    **CALL_MACROS,
    **DOT_MACROS,
    "min": "#define {0}(a, b) ((a) < (b) ? (a) : (b))",
    "max": "#define {0}(a, b) ((a) > (b) ? (a) : (b))",
    "floord": "#define {0}(a, b) ((a) < 0 ? -((-(a) + (b) - 1) / (b)) : (a) / (b))",
    "apart": """#define {0}(x, x_first, x_end, y, y_first, y_end) \\
  ((__UINTPTR_TYPE__)(x) + (x_end) * sizeof *(x) <= \\
     (__UINTPTR_TYPE__)(y) + (y_first) * sizeof *(y) || \\
   (__UINTPTR_TYPE__)(y) + (y_end) * sizeof *(y) <= \\
     (__UINTPTR_TYPE__)(x) + (x_first) * sizeof *(x))""",
    "ends": """#define {0}(x, first, end) {{ \\
  (__UINTPTR_TYPE__)(x) + (first) * sizeof *(x), \\
  (__UINTPTR_TYPE__)(x) + (end) * sizeof *(x)}}""",
    "rows_apart": """#define {0}(n, ranges) __extension__ ({{ \\
  const long n_ = (n); \\
  __typeof__(&(ranges)[0]) from_ = (ranges), to_ = from_ + n_; \\
  for (long runs_ = 2; runs_ > 1;) {{ \\
    long out_ = 0, i_ = 0; \\
    for (runs_ = 0; i_ < n_; runs_++) {{ \\
      long middle_ = i_ + 1; \\
      while (middle_ < n_ && from_[middle_ - 1].first_ <= from_[middle_].first_) \\
        middle_++; \\
      long end_ = middle_ < n_ ? middle_ + 1 : n_; \\
      while (end_ < n_ && from_[end_ - 1].first_ <= from_[end_].first_) end_++; \\
      for (long k_ = middle_; out_ < end_; out_++) {{ \\
        const int is_left_ = k_ >= end_ \\
          || (i_ < middle_ && from_[i_].first_ <= from_[k_].first_); \\
        to_[out_] = from_[is_left_ ? i_++ : k_++]; \\
      }} \\
      i_ = end_; \\
    }} \\
    __typeof__(from_) merged_ = to_; \\
    to_ = from_; \\
    from_ = merged_; \\
  }} \\
  __UINTPTR_TYPE__ all_ = 0, written_ = 0; \\
  int apart_ = 1; \\
  for (long i_ = 0; i_ < n_; i_++) {{ \\
    if (from_[i_].end_ <= from_[i_].first_) continue; \\
    apart_ &= from_[i_].first_ >= (from_[i_].is_written_ ? all_ : written_); \\
    if (from_[i_].end_ > all_) all_ = from_[i_].end_; \\
    if (from_[i_].is_written_ && from_[i_].end_ > written_) \\
      written_ = from_[i_].end_; \\
  }} \\
  apart_; \\
}})""",
    "choose": """#define {0}(vector, x, op, y, then, other) \\
  __extension__ ({{ \\
    const vector x_ = (x), y_ = (y); \\
    vector chosen_ = x_; \\
    for (unsigned lane_ = 0; lane_ < sizeof x_ / sizeof x_[0]; lane_++) \\
      chosen_[lane_] = x_[lane_] op y_[lane_] ? then[lane_] : other[lane_]; \\
    chosen_; \\
  }})""",
    "mix": """#ifdef __clang__
#define {0}(places, a, b, ...) \\
  ((void)sizeof(places), __builtin_shufflevector(a, b, __VA_ARGS__))
#else
#define {0}(places, a, b, ...) __builtin_shuffle(a, b, (places){{__VA_ARGS__}})
#endif""",
    "lanes": """#ifdef __clang__
#define {0}() _Pragma("omp simd")
#else
#define {0}() _Pragma("GCC ivdep")
#endif""",
}


@dataclass
class Macros:
    """Names of the helper macros, and which of them were used.

    Attributes
    ----------
    names : Names
        Source of free identifiers.
    prefix : str
        What the macros' names begin with.
    used : dict
        Kind of macro to its name, in order of first use.
    """

    names: Names
    prefix: str = "ps_"
    used: dict[str, str] = field(default_factory=dict)

    def call(self, kind: str, *args: Text) -> Text:
        """``min(a, b)``, ``floord(a, b)``, ``fmax(a, b)`` and the like as a macro."""
        if kind not in self.used:
            self.used[kind] = self.names.take(self.prefix + kind)
        return call(self.used[kind], args)

    def around(self, lines: Sequence[str]) -> list[str]:
        """The lines between `#define` and `#undef` of the macros they use."""
        text = "\n".join(lines)
        needed = {k: n for k, n in self.used.items() if f"{n}(" in text}
        return [
            *(
                line
                for kind, name in needed.items()
                for line in _MACROS[kind].format(name).splitlines()
            ),
            *lines,
            *(f"#undef {name}" for name in needed.values()),
        ]
