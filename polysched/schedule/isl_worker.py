"""Child process of `isl_scheduler`: scheduling problems in, one schedule a line out.

isl's scheduler can run for minutes, takes no signal and counts few operations on the
way, so a hard time limit needs a process that can be killed.
"""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Mapping

import islpy as isl


def compute(problem: Mapping[str, str], variant: Mapping[str, str | int]) -> str:
    """The text of isl's schedule for a problem and option values."""
    context = isl.DEFAULT_CONTEXT
    context.set_schedule_algorithm(int(variant["algorithm"] == "feautrier"))
    context.set_schedule_outer_coincidence(int(variant["outer_coincidence"]))
    context.set_schedule_serialize_sccs(int(variant["serialize"]))
    validity = isl.UnionMap(problem["validity"])
    constraints = isl.ScheduleConstraints.on_domain(isl.UnionSet(problem["domain"]))
    constraints = constraints.set_validity(validity).set_coincidence(validity)
    constraints = constraints.set_proximity(isl.UnionMap(problem["proximity"]))
    return str(constraints.compute_schedule())


def main() -> None:
    """Read problem and variants from standard input, answer one line each."""
    task = json.load(sys.stdin)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)  # ends the process inside isl, too
    signal.alarm(int(task["seconds"]))
    for variant in task["variants"]:
        try:
            answer = {"schedule": compute(task["problem"], variant)}
        except isl.Error as error:
            answer = {"error": str(error)}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
