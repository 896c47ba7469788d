from __future__ import annotations

import numpy as np
import pytest

from compresskit.architecture import Architecture
from compresskit.training.narrowing import narrowing
from compresskit.training.strategies import FROM_TEACHER
from tests.contracts.strategy import DIMS

PATH = tuple(Architecture.uniform(DIMS, [0, 1, 2], heads, 4 * heads) for heads in (4, 3, 2, 1))


def test_it_walks_down_its_path_in_the_first_half_and_stays() -> None:
    strategy = narrowing(PATH)
    seen = []
    for step in range(12):
        (lesson,) = strategy.lessons(step, step / 12, np.random.default_rng(step))
        assert lesson.source == FROM_TEACHER
        assert not lesson.is_full
        seen.append(PATH.index(lesson.architecture))
    assert seen == [0, 0, 1, 1, 2, 2, 3, 3, 3, 3, 3, 3]


def test_a_path_of_one_is_that_one_throughout() -> None:
    strategy = narrowing(PATH[2:3])
    for progress in (0.0, 0.5, 1.0):
        (lesson,) = strategy.lessons(0, progress, np.random.default_rng(0))
        assert lesson.architecture == PATH[2]


def test_a_path_of_none_is_refused() -> None:
    with pytest.raises(ValueError, match="an architecture"):
        narrowing(())
