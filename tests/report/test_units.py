from __future__ import annotations

import pytest

from compresskit.report import units


@pytest.mark.parametrize(
    ("value", "text"), [(7.1234, "7.12"), (123.4, "123"), (0.01234, "0.0123"), (0.0, "0"), (-2.5, "-2.50")]
)
def test_three_significant_digits(value: float, text: str) -> None:
    assert units.number(value) == text


def test_both_ends_of_an_interval_have_the_same_decimals() -> None:
    assert units.interval((9.98, 10.04)) == "10.0\N{EN DASH}10.0"
    assert units.interval((7.1, 7.25)) == "7.10\N{EN DASH}7.25"


@pytest.mark.parametrize(
    ("value", "text"), [(22_713_984, "22.7 M"), (999, "999"), (999_999, "1.00 M"), (1500, "1.50 k")]
)
def test_counts_are_scaled(value: int, text: str) -> None:
    assert units.count(value) == text


def test_bytes_are_decimal() -> None:
    assert units.size(90_900_000) == "90.9 MB"


def test_signs_of_differences() -> None:
    assert units.signed_points(-0.0123) == "\N{MINUS SIGN}1.23"
    assert units.signed_points(0.0123) == "+1.23"
    assert units.signed_points(-0.00001) == "0.00"
    assert units.signed_percent(-0.041) == "\N{MINUS SIGN}4.1 %"


def test_durations() -> None:
    assert [units.duration(s) for s in (12.2, 90, 4500)] == ["12 s", "2 min", "1 h 15 min"]


def test_what_was_not_measured_is_a_dash_and_never_zero() -> None:
    shown = {
        f(None) for f in (units.milliseconds, units.points, units.signed_points, units.times, units.count)
    }
    shown |= {f(None) for f in (units.size, units.duration, units.interval)}
    assert shown == {units.NOTHING}
