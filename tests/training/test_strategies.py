from __future__ import annotations

import numpy as np
import pytest

from compresskit.errors import ConfigurationError
from compresskit.training.strategies import (
    FROM_FULL,
    FROM_LABELS,
    FROM_TEACHER,
    STRATEGIES,
    Alone,
    FrozenTeacher,
    Lesson,
    OneNetwork,
    Point,
    make_strategy,
)
from tests.contracts.strategy import FULL, SMALLEST, StrategyContract, sample


class TestStandard(StrategyContract):
    name = "standard"

    def check(self, lessons: list[Lesson], num_random: int) -> None:
        assert [lesson.is_full for lesson in lessons] == [True]


class TestRandom(StrategyContract):
    name = "random"

    def check(self, lessons: list[Lesson], num_random: int) -> None:
        assert [lesson.source for lesson in lessons] == [FROM_LABELS] * num_random
        assert not any(lesson.is_full for lesson in lessons)


class TestRandomLinear(StrategyContract):
    name = "random_linear"

    def check(self, lessons: list[Lesson], num_random: int) -> None:
        assert len(lessons) == 1

    def test_full_network_gives_way_as_training_goes_on(self) -> None:
        strategy = self.make(2)
        shares = [
            np.mean([strategy.lessons(i, p, np.random.default_rng(i))[0].is_full for i in range(400)])
            for p in (0.0, 0.5, 1.0)
        ]
        assert shares[0] == 1
        assert 0.4 < shares[1] < 0.6
        assert shares[2] == 0


class TestSandwich(StrategyContract):
    name = "sandwich"

    def check(self, lessons: list[Lesson], num_random: int) -> None:
        assert [lesson.source for lesson in lessons] == [FROM_LABELS] * (num_random + 2)
        assert lessons[0].is_full
        assert lessons[-1].architecture == SMALLEST


class TestInPlaceDistillation(StrategyContract):
    name = "kd"

    def check(self, lessons: list[Lesson], num_random: int) -> None:
        assert [lesson.source for lesson in lessons] == [FROM_LABELS] + [FROM_FULL] * num_random


class TestSandwichDistillation(StrategyContract):
    name = "full"

    def check(self, lessons: list[Lesson], num_random: int) -> None:
        assert [lesson.source for lesson in lessons] == [FROM_LABELS] + [FROM_FULL] * (num_random + 1)
        assert lessons[-1].architecture == SMALLEST


class TestFrozenTeacher(StrategyContract):
    name = "teacher"

    def check(self, lessons: list[Lesson], num_random: int) -> None:
        assert {lesson.source for lesson in lessons} == {FROM_TEACHER}
        assert sum(not lesson.is_full for lesson in lessons) == num_random

    def test_full_network_takes_part_now_and_then(self) -> None:
        strategy = self.make(2)
        parts = [strategy.lessons(i, 0.5, np.random.default_rng(i))[0].is_full for i in range(40)]
        assert parts == [i % FrozenTeacher.full_every == 0 for i in range(40)]


def test_every_strategy_has_a_contract_test() -> None:
    tested = {cls.name for cls in StrategyContract.__subclasses__()}
    assert tested == set(STRATEGIES)


@pytest.mark.parametrize(("kind", "source"), [(Point, FROM_TEACHER), (Alone, FROM_LABELS)])
def test_one_network_has_all_lessons(kind: type[OneNetwork], source: str) -> None:
    strategy = kind.of(FULL, SMALLEST)
    assert strategy.full == FULL
    assert strategy.needs_teacher == (source == FROM_TEACHER)
    for step in range(3):
        lessons = strategy.lessons(step, step / 3, np.random.default_rng(step))
        assert lessons == [Lesson(SMALLEST, source)]


def test_unknown_strategy_raises() -> None:
    with pytest.raises(ConfigurationError, match=r"'ladder'.*sandwich"):
        make_strategy("ladder", FULL, SMALLEST, sample)


def test_no_random_sub_network_raises() -> None:
    with pytest.raises(ConfigurationError, match="at least 1"):
        make_strategy("kd", FULL, SMALLEST, sample, 0)
