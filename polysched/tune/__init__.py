"""tune: measures the best-ranked few variants in the user's own program.

Takes ranked variants, gives a `TuneResult`; every outcome is stored when it is known,
and what is stored is not measured again. May import `runtime`, `records`, `machine`,
`ir`, `base`.
"""

from polysched.tune.candidate import TunableVariant
from polysched.tune.options import TuneOptions
from polysched.tune.oracle import Oracle, consult_oracle
from polysched.tune.result import MeasuredVariant, TuneResult
from polysched.tune.sizes import observe_sizes
from polysched.tune.tuner import tune

__all__ = [
    "MeasuredVariant",
    "Oracle",
    "TunableVariant",
    "TuneOptions",
    "TuneResult",
    "consult_oracle",
    "observe_sizes",
    "tune",
]
