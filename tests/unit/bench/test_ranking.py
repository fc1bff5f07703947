"""Rank correlation and regret from recorded measurements."""

from __future__ import annotations

import json
import random

import pytest

from polysched.bench import Ranking, Trial, summarise_rankings

# gemm at LARGE on two cores, in the model's order: predicted and measured seconds of
# the transcript in README.md.
GEMM = (
    (0.119, 0.0494), (0.119, 0.0517), (0.137, 0.0537), (0.137, 0.0519), (0.246, 0.0924),
    (0.246, 0.102), (0.336, 0.115), (0.336, 0.117), (0.336, 0.118), (0.341, 0.111),
    (0.471, 0.134), (1.42, 0.187),
)  # fmt: skip


def _ranking(pairs, n_kept=None):
    trials = tuple((k, Trial(f"s{k}", p, s)) for k, (p, s) in enumerate(pairs))
    return Ranking(len(trials) if n_kept is None else n_kept, trials)


def test_a_recorded_search():
    found = _ranking(GEMM)
    assert found.spearman == pytest.approx(0.945, abs=5e-4)
    assert found.kendall == pytest.approx(0.858, abs=5e-4)
    assert [found.regret(n) for n in (1, 4, 16)] == [1.0, 1.0, 1.0]


@pytest.mark.parametrize(
    ("pairs", "spearman", "kendall"),
    [
        ([(1, 1), (2, 2), (3, 3)], 1.0, 1.0),
        ([(1, 3), (2, 2), (3, 1)], -1.0, -1.0),
        ([(1, 1), (2, 3), (3, 2)], 0.5, 1 / 3),
        ([(1, 1), (1, 2), (2, 3)], 3**0.5 / 2, (2 / 3) ** 0.5),
        ([(1, 1), (1, 2), (1, 3)], None, None),
        ([(1, 1), (2, 2)], None, None),
        ([(1, 1), (2, None), (None, 2), (3, 3)], None, None),
    ],
)
def test_small_cases(pairs, spearman, kendall):
    found = _ranking(pairs)
    assert found.spearman == (spearman if spearman is None else pytest.approx(spearman))
    assert found.kendall == (kendall if kendall is None else pytest.approx(kendall))


def test_kendall_counts_pairs():
    generator = random.Random(7)
    pairs = [(generator.randint(1, 6), generator.randint(1, 6)) for _ in range(30)]
    right = wrong = tied_first = tied_second = 0
    for k, (a, b) in enumerate(pairs):
        for c, d in pairs[:k]:
            right += (a - c) * (b - d) > 0
            wrong += (a - c) * (b - d) < 0
            tied_first += a == c
            tied_second += b == d
    n_pairs = 30 * 29 // 2
    scale = ((n_pairs - tied_first) * (n_pairs - tied_second)) ** 0.5
    assert _ranking(pairs).kendall == pytest.approx((right - wrong) / scale)


def test_regret_is_of_the_first_choices():
    times = [(k, s) for k, s in enumerate((3.0, None, 2.0, 4.0, 1.0), 1)]
    found = _ranking(times)
    assert [found.regret(n) for n in (1, 2, 3, 4, 5, 16)] == [3, 3, 2, 2, 1, 1]
    assert _ranking([(1, None), (2, 1.0)]).regret(1) is None


def test_no_regret_is_told_of_what_was_not_tried():
    trials = [(k, Trial(f"s{k}", k + 1.0, 1.0 + k)) for k in (0, 1, 2, 4, 9)]
    found = Ranking(20, tuple(trials))
    assert [found.regret(n) for n in (1, 3, 4, 16)] == [1.0, 1.0, None, None]
    assert found.spearman == pytest.approx(1.0)


def test_json_reads_back():
    found = _ranking([*GEMM, (2.0, None)], n_kept=40)
    data = json.loads(json.dumps(found.to_json()))
    assert Ranking.from_json(data) == found
    assert (data["n_kept"], data["n_tried"], data["n_measured"]) == (40, 13, 12)
    assert data["regret"] == {"1": 1.0, "4": 1.0, "16": None}


def test_summary_leaves_out_what_is_not_known():
    good, bad, short = (
        _ranking(GEMM),
        _ranking([(1, 4.0), (2, 2.0), (3, 1.0)]),
        _ranking([(1, 1.0)]),
    )
    found = summarise_rankings([good, bad, short])
    assert found.n_kernels == 2
    assert found.kendall == pytest.approx((good.kendall - 1.0) / 2)
    assert found.regrets[0] == (1, pytest.approx(4 ** (1 / 3)), 3)
    assert summarise_rankings([]).spearman is None
