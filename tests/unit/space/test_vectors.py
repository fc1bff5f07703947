"""Fronts, distances and spread of points, on small tables."""

from __future__ import annotations

import math

import numpy as np

from polysched.space.vectors import (
    nearest_positions,
    normalise,
    pareto_positions,
    read_vectors,
    spread_positions,
)


def test_front_of_two_costs():
    points = read_vectors([[1, 4], [2, 2], [4, 1], [3, 3], [2, 2]], 2)
    assert pareto_positions(points, ["low", "low"]) == [0, 1, 2, 4]
    assert pareto_positions(points, ["high", "low"]) == [2]
    assert pareto_positions(points, ["high", "high"]) == [0, 2, 3]


def test_unknown_values_neither_are_on_the_front_nor_dominate():
    points = read_vectors([[math.nan, 0], [1, 1]], 2)
    assert pareto_positions(points, ["low", "low"]) == [1]


def test_features_are_scaled_and_constant_ones_left_out():
    points = read_vectors([[0, 7, 1], [5, 7, 1e6], [10, 7, 1e3]], 3)
    scaled = normalise(points)
    assert scaled.shape == (3, 2)
    assert list(scaled[:, 0]) == [0, 0.5, 1]
    assert list(scaled[:2, 1]) == [0, 1]
    assert 0.4 < scaled[2, 1] < 0.6
    assert points[1, 2] == 1e6


def test_spread_takes_the_farthest_first():
    line = read_vectors([[0], [1], [4], [10]], 1)
    assert spread_positions(line, 3, 0) == [0, 3, 2]
    assert spread_positions(line, 9, 1) == [1, 3, 2, 0]
    same = read_vectors([[1], [1], [1]], 1)
    assert spread_positions(same, 2, 1) == [1, 0]


def test_nearest_leaves_out_the_point_itself():
    line = read_vectors([[0], [1], [4], [1]], 1)
    assert nearest_positions(line, 1) == [3, 0, 2]


def test_no_points():
    none = read_vectors([], 3)
    assert normalise(none).shape == (0, 3)
    assert pareto_positions(none, ["low"] * 3) == []
    assert np.array_equal(none, np.zeros((0, 3)))
