"""What every training strategy promises. A test class per strategy subclasses `StrategyContract`."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import pytest

from compresskit.architecture import Architecture, Dimensions
from compresskit.training.strategies import Lesson, Strategy, make_strategy

DIMS = Dimensions(num_layers=3, num_heads=4, head_size=8, num_units=16, hidden_size=32)
FULL = Architecture.full(DIMS)
SMALLEST = Architecture.uniform(DIMS, [0], 1, 1)


def sample(generator: np.random.Generator, progress: float) -> Architecture:
    units = int(generator.integers(1, 17))
    return Architecture.uniform(DIMS, [0, 2], int(generator.integers(1, 5)), units)


class StrategyContract:
    """Subclasses name the strategy and `check` the lessons of one step."""

    name: ClassVar[str]

    def check(self, lessons: list[Lesson], num_random: int) -> None:
        raise NotImplementedError

    def make(self, num_random: int) -> Strategy:
        return make_strategy(self.name, FULL, SMALLEST, sample, num_random)

    @pytest.mark.parametrize("num_random", [1, 3])
    def test_lessons_are_as_the_method_says(self, num_random: int) -> None:
        for step in range(8):
            lessons = self.make(num_random).lessons(step, step / 8, np.random.default_rng(step))
            self.check(lessons, num_random)

    def test_equal_generators_give_equal_lessons(self) -> None:
        first, second = (self.make(2).lessons(5, 0.5, np.random.default_rng(7)) for _ in range(2))
        assert first == second

    def test_full_network_comes_first_and_is_marked(self) -> None:
        for step in range(8):
            lessons = self.make(2).lessons(step, 0.5, np.random.default_rng(step))
            for place, lesson in enumerate(lessons):
                assert lesson.is_full == (lesson.architecture == FULL)
                assert not lesson.is_full or place == 0
