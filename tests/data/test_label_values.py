from __future__ import annotations

from decimal import Decimal

import pytest

from compresskit.data.label_values import Label, label_number, label_text, typed_label, written_labels


@pytest.mark.parametrize(
    ("written", "labels"),
    [
        (["1", "-1", "10"], [1, -1, 10]),
        (["001", "010"], ["001", "010"]),
        (["0", "01"], ["0", "01"]),
        (["1.0", "2.0"], ["1.0", "2.0"]),  # whole, and written otherwise
        (["1.0", "2", "2.5"], [1, 2, 2.5]),
        (["1e-3", ".5"], [0.001, 0.5]),
        (["true", "False"], ["true", "False"]),
        ([" pos ", "", " "], ["pos", None, None]),
        (["1", "NA", "nan"], [1, None, None]),  # a number that is missing
        (["NA", "DE", "null"], ["NA", "DE", "null"]),  # classes
        (["NA", "nan"], ["NA", "nan"]),
        (["1", "one"], ["1", "one"]),
        (["2020-01-01"], ["2020-01-01"]),
        (["+1", "2"], ["+1", "2"]),
        (["12345678901234567890"], [12345678901234567890]),
        ([None, "a"], [None, "a"]),
    ],
)
def test_labels_of_csv_are_as_they_were_written(
    written: list[str | None], labels: list[Label | None]
) -> None:
    found = written_labels(written)
    assert found == labels and list(map(type, found)) == list(map(type, labels))


def test_labels_of_a_file_with_types() -> None:
    values = [True, " a ", "", 2.0, 2.5, float("nan"), Decimal("3"), 7, None, "001", "1"]
    assert list(map(typed_label, values)) == ["True", "a", None, 2, 2.5, None, 3, 7, None, "001", "1"]


def test_what_a_label_is_called_and_the_number_it_is() -> None:
    assert [label_text(label, ("no", "yes")) for label in (0, 1, 2, -1, "no", 1.5)] == [
        *("no", "yes", "2", "-1", "no", "1.5")
    ]
    assert [label_number(label) for label in (1, "1.0", "-.5", "001", "0.5", "a", "1 2")] == [
        *(1.0, 1.0, -0.5, None, 0.5, None, None)
    ]
