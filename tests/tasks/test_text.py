from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from compresskit.data.table import Table
from compresskit.errors import DataError
from compresskit.tasks.classification import Classification
from compresskit.tasks.examples import DataOptions
from compresskit.tasks.regression import Regression


def known(labels: Sequence[Any], names: Sequence[str], class_names: tuple[str, ...] = ()) -> list[float]:
    """Labels of a table as an engine with the classes `names` understands them; one output gives numbers."""
    kind = Classification(tuple(names), "accuracy") if len(names) > 1 else Regression((), "pearson")
    facts = {"class_names": {"label": class_names}} if class_names else {}
    table = Table.of({"text": ["x"] * len(labels), "label": labels}, **facts)
    found: list[float] = kind.read_test(table, "test", "d.csv", DataOptions()).labels.tolist()
    return found


@pytest.mark.parametrize(
    ("labels", "names", "ids"),
    [
        (("bad", "good"), ["bad", "good"], [0, 1]),
        ((0, 1), ["bad", "good"], [0, 1]),
        (("0", "1"), ["LABEL_0", "LABEL_1"], [0, 1]),
        ((1, 2), ["1", "2"], [0, 1]),  # names that are numbers are names
        (("true", "FALSE"), ["False", "True"], [1, 0]),
        (("a", "A"), ["A", "a"], [1, 0]),
        ((1.0, "0.0"), ["bad", "good"], [1, 0]),
        (("001",), ["001", "010"], [0]),  # text that was written, not the number in it
        (("001", "010"), ["1", "10"], [0, 1]),  # an engine of a version that read numbers
        ((1, 5), ["1 star", "2 stars", "3 stars", "4 stars", "5 stars"], [0, 4]),
        ((-1, "1"), ["-1", "1"], [0, 1]),
        (("2.5", 3), ["LABEL_0"], [2.5, 3.0]),
    ],
)
def test_labels_by_name_or_by_class_id(labels: tuple[Any, ...], names: list[str], ids: list[float]) -> None:
    assert known(labels, names) == ids


@pytest.mark.parametrize(
    ("label", "names", "message"),
    [
        ("ugly", ["bad", "good"], "row 1: label 'ugly' .* permitted: bad, good, or 0 to 1 where"),
        (2, ["bad", "good"], "label 2"),
        (-1, ["bad", "good"], "label -1"),
        ("001", ["bad", "good"], "label '001'"),  # a code is no class id
        (0, ["1", "2"], "label 0"),
        ("good", ["LABEL_0"], "is not a number"),
    ],
)
def test_labels_that_the_engine_does_not_know(label: Any, names: list[str], message: str) -> None:
    with pytest.raises(DataError, match=message):
        known([label], names)


def test_all_labels_go_by_one_rule() -> None:
    with pytest.raises(DataError, match=r"row 1: label 0 is not one of the engine's"):
        known([0, 1, 2], ["1", "2", "3"])
    with pytest.raises(DataError, match="some labels are names .* and some are not: 0, good"):
        known([0, "good"], ["bad", "good"])


def test_class_names_of_the_data_set_go_before_ids() -> None:
    assert known([0, 1], ["pos", "neg"], ("neg", "pos")) == [1, 0]
    assert known([0, 1], ["LABEL_0", "LABEL_1"], ("neg", "pos")) == [0, 1]
