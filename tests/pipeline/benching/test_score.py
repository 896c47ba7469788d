from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from compresskit.errors import DataError
from compresskit.pipeline.benching.data import LabelledTexts
from compresskit.pipeline.benching.score import encode_labels


def labelled(*labels: Any) -> LabelledTexts:
    return LabelledTexts(Path("d.csv"), tuple(("x",) for _ in labels), labels)


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
    assert encode_labels(labelled(*labels), names).tolist() == ids


@pytest.mark.parametrize(
    ("label", "names", "message"),
    [
        ("ugly", ["bad", "good"], "row 1: label 'ugly' .* permitted: bad, good, or 0 to 1 where"),
        (2, ["bad", "good"], "label 2"),
        (-1, ["bad", "good"], "label -1"),
        ("001", ["bad", "good"], "label '001'"),  # a code is no class id
        (0, ["1", "2"], "label 0"),
        ("good", ["LABEL_0"], "is no number"),
    ],
)
def test_labels_that_the_engine_does_not_know(label: Any, names: list[str], message: str) -> None:
    with pytest.raises(DataError, match=message):
        encode_labels(labelled(label), names)


def test_all_labels_go_by_one_rule() -> None:
    with pytest.raises(DataError, match=r"row 1: label 0 is not one of the engine's"):
        encode_labels(labelled(0, 1, 2), ["1", "2", "3"])
    with pytest.raises(DataError, match="some labels are names .* and some are not: 0, good"):
        encode_labels(labelled(0, "good"), ["bad", "good"])


def test_class_names_of_the_data_set_go_before_ids() -> None:
    data = labelled(0, 1)
    assert encode_labels(data, ["pos", "neg"], ("neg", "pos")).tolist() == [1, 0]
    assert encode_labels(data, ["LABEL_0", "LABEL_1"], ("neg", "pos")).tolist() == [0, 1]
