from __future__ import annotations

import numpy as np
import pytest

from benchmarks.choosing.rules import RULES, Networks, halved

ROWS = 400
LABELS = np.arange(ROWS) % 2


def answers(wrong: np.ndarray) -> np.ndarray:
    return np.where(wrong, 1 - LABELS, LABELS)


def networks(*wrong: np.ndarray, speedups: list[float]) -> Networks:
    """Networks that are wrong on these rows, of a dense model that is wrong on the first tenth."""
    dense = answers(np.arange(ROWS) < ROWS // 10)
    return Networks("accuracy", np.stack(list(map(answers, wrong))), speedups, dense, LABELS, LABELS)


def test_each_rule_goes_by_its_figure() -> None:
    rows = np.arange(ROWS)
    like_dense = rows < ROWS // 10 + 8  # the dense model's mistakes, and eight more
    lucky = rows >= ROWS - ROWS // 10  # as many mistakes as the dense model has, all of its own
    found = networks(like_dense, lucky, speedups=[2.0, 2.0])
    assert found.chosen("metric", rows) == [1]
    assert found.chosen("fidelity", rows) == [0]
    assert found.chosen("mean", rows) == [0]


def test_area_is_that_of_the_metric_on_the_given_rows() -> None:
    rows = np.arange(ROWS)
    found = networks(rows < ROWS // 10, speedups=[np.e])
    assert found.area([0], rows) == pytest.approx(1.0)
    assert found.area([], rows) == 0
    half = np.arange(ROWS // 10, ROWS)  # dense and network are right on all of these
    assert found.area([0], half) == pytest.approx(1.0)


def test_halves_are_random_and_repeat_with_their_seed() -> None:
    rng = np.random.default_rng(0)
    found = networks(*(rng.random(ROWS) < share for share in (0.12, 0.2, 0.3)), speedups=[1.5, 3.0, 6.0])
    once, again = halved(found, 20), halved(found, 20)
    assert set(once) == set(RULES)
    assert all(np.array_equal(once[name], again[name]) for name in RULES)
    assert once["metric"].std() > 0
