from __future__ import annotations

import numpy as np
import pytest

from compresskit.searchers.additive import FEWEST, AdditiveLatency


def true_ms(shapes: list[tuple[int, int]]) -> float:
    """A device whose last layer costs less, since it computes the first token alone."""
    *before, (heads, units) = shapes
    return 0.4 + sum(0.1 + 0.08 * h + 0.001 * u for h, u in before) + 0.04 * heads + 0.00005 * units


def drawn(number: int, seed: int = 0) -> list[list[tuple[int, int]]]:
    rng = np.random.default_rng(seed)
    return [
        [(int(rng.integers(1, 13)), int(rng.integers(32, 1537))) for _ in range(rng.integers(1, 7))]
        for _ in range(number)
    ]


def test_recovers_a_latency_that_adds_up() -> None:
    known, new = drawn(40), drawn(20, seed=1)
    model = AdditiveLatency.fit(known, [true_ms(each) for each in known])
    assert model is not None
    assert (model.weights >= 0).all()
    found = [model.predict_ms(each) for each in new]
    assert found == pytest.approx([true_ms(each) for each in new], rel=0.06)


def test_error_is_that_of_new_architectures() -> None:
    rng = np.random.default_rng(0)
    known, new = drawn(60), drawn(200, seed=1)
    model = AdditiveLatency.fit(
        known, [true_ms(each) * np.exp(0.1 * rng.standard_normal()) for each in known]
    )
    assert model is not None
    misses = [
        model.predict_ms(each) / (true_ms(each) * np.exp(0.1 * rng.standard_normal())) - 1 for each in new
    ]
    assert model.error == pytest.approx(np.sqrt(np.mean(np.square(misses))), rel=0.3)


def test_predicts_nothing_from_too_few() -> None:
    few = drawn(FEWEST - 1)
    assert AdditiveLatency.fit(few, [1.0] * len(few)) is None


def test_parts_without_heads_or_units_are_architectures_too() -> None:
    shapes = [[(0, 5)], [(3, 0), (0, 7)], [(1, 1)], [(0, 0), (2, 9)], [(4, 4), (0, 3)]]
    model = AdditiveLatency.fit(shapes, [1.0, 2.0, 1.0, 2.0, 3.0])
    assert model is not None
    assert all(model.predict_ms(each) > 0 for each in shapes)
