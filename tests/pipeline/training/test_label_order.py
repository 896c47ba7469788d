"""Labels in another order are found where they are, and not where a model is merely weak."""

from __future__ import annotations

import numpy as np
import pytest

from compresskit.pipeline.training.label_order import better_order


def draw(rows: int, classes: int, accuracy: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """(what a model of this accuracy says, what is true), both (rows,)."""
    rng = np.random.default_rng(seed)
    true = rng.integers(classes, size=rows)
    wrong = (true + rng.integers(1, classes, size=rows)) % classes
    return np.where(rng.random(rows) < accuracy, true, wrong), true


@pytest.mark.parametrize("moved", [(1, 0), (2, 0, 1), (0, 2, 1, 3), (1, 2, 3, 4, 0)])
def test_the_order_is_found(moved: tuple[int, ...]) -> None:
    true_answers, labels = draw(400, len(moved), 0.85)
    said = np.argsort(moved)[true_answers]  # output i stands for class moved[i]
    found = better_order(said, labels, len(moved))
    assert found is not None
    assert found.classes == moved
    assert found.is_clear
    assert found.accuracy == pytest.approx(0.85, abs=0.07)
    names = tuple("abcde"[: len(moved)])
    assert f"output {next(i for i, c in enumerate(moved) if i != c)} " in found.describe(names)


def test_right_labels_are_left_alone() -> None:
    for seed in range(20):
        for classes in (2, 3, 6):
            answers, labels = draw(300, classes, 0.8, seed)
            assert better_order(answers, labels, classes) is None


def test_a_guess_is_no_order() -> None:
    """Of orders chosen for answers that say nothing, none may look clear: one in a thousand would."""
    clear = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        found = better_order(rng.integers(4, size=100), rng.integers(4, size=100), 4)
        clear += found is not None and found.is_clear
    assert clear <= 2


def test_one_answer_to_every_row() -> None:
    labels = np.asarray([0] * 30 + [1] * 70)
    assert better_order(np.zeros(100, dtype=np.int64), labels, 2) is None
    assert better_order(np.ones(100, dtype=np.int64), labels, 2) is None


def test_few_rows() -> None:
    assert better_order(np.asarray([0]), np.asarray([1]), 2) is None
    found = better_order(np.asarray([0, 1, 0, 1]), np.asarray([1, 0, 1, 0]), 2)
    assert found is not None and not found.is_clear


def test_two_classes_in_one_answer_are_no_order() -> None:
    """Whichever of them is the more frequent."""
    for seed in range(20):
        answers, labels = draw(300, 3, 0.9, seed)
        answers[answers == 2] = 0
        assert better_order(answers, labels, 3) is None
