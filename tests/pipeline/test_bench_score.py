from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from compresskit.errors import DataError
from compresskit.pipeline.bench_data import LabelledTexts
from compresskit.pipeline.bench_score import encode_labels


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
        (("2.5", 3), ["LABEL_0"], [2.5, 3.0]),
    ],
)
def test_labels_by_name_or_by_class_id(labels: tuple[Any, ...], names: list[str], ids: list[float]) -> None:
    assert encode_labels(labelled(*labels), names).tolist() == ids


@pytest.mark.parametrize(
    ("label", "names", "message"),
    [
        ("ugly", ["bad", "good"], "row 1: label 'ugly' .* permitted: bad, good, or 0 to 1"),
        (2, ["bad", "good"], "label 2"),
        (-1, ["bad", "good"], "label -1"),
        (None, ["bad", "good"], "label None"),
        ("good", ["LABEL_0"], "is no number"),
    ],
)
def test_labels_that_the_engine_does_not_know(label: Any, names: list[str], message: str) -> None:
    with pytest.raises(DataError, match=message):
        encode_labels(labelled(label), names)
