from __future__ import annotations

from collections.abc import Sequence

import pytest

from compresskit.errors import ConfigurationError, DataError
from compresskit.tasks.labels import read_labels
from compresskit.tasks.rows import Label, Rows


def rows(labels: Sequence[Label], split: str = "train") -> Rows:
    return Rows(split, [("w",)] * len(labels), list(labels), list(range(1, len(labels) + 1)), 0)


def test_classes_are_numbered_in_sorted_order() -> None:
    text = read_labels(rows(["pos", "neg", "pos"]))
    assert (text.kind, text.names, text.num_labels) == ("classification", ("neg", "pos"), 2)
    assert text.encode(rows(["pos", "neg"])).tolist() == [1, 0]
    numbers = read_labels(rows([10, 2, 2]))
    assert numbers.names == ("2", "10") and numbers.encode(rows([10])).tolist() == [1]


def test_class_names_of_the_data_set_are_kept() -> None:
    assert read_labels(rows([1, 0]), class_names=("negative", "positive")).names == ("negative", "positive")


def test_numbers_make_a_regression() -> None:
    found = read_labels(rows([1.5, 2, 3]))
    assert (found.kind, found.num_labels, found.names) == ("regression", 1, ())
    encoded = found.encode(rows([0.5, 2]))
    assert encoded.dtype == "float32" and encoded.tolist() == [0.5, 2.0]
    assert read_labels(rows([1, 2, 3]), kind="regression").kind == "regression"


def test_a_label_outside_training_is_named_with_its_rows() -> None:
    labels = read_labels(rows(["a", "b"]))
    with pytest.raises(
        DataError, match="labels of the test split are not in training: 'c' in rows 2, 3; 'd' in row 4"
    ):
        labels.encode(rows(["a", "c", "c", "d"], "test"))


def test_labels_that_are_no_classes() -> None:
    with pytest.raises(DataError, match=r"numbers such as 0.5.*choose regression"):
        read_labels(rows([0.5, 1]), kind="classification")
    with pytest.raises(DataError, match="one label only, 'a'"):
        read_labels(rows(["a", "a"]))
    with pytest.raises(DataError, match="60 different values in 60 rows"):
        read_labels(rows(list(range(60))))


def test_labels_that_are_no_numbers() -> None:
    with pytest.raises(DataError, match="label 'x' in row 2 of the train split is not a number"):
        read_labels(rows([1, "x"]), kind="regression")
    with pytest.raises(DataError, match="label inf in row 1 of the test split"):
        read_labels(rows([1.5, 2])).encode(rows([float("inf")], "test"))
    with pytest.raises(
        ConfigurationError, match="task 'tagging' is not known; permitted: classification, regression"
    ):
        read_labels(rows([0, 1]), kind="tagging")


def test_labels_fit_a_checkpoint_by_name() -> None:
    found = read_labels(rows(["negative", "Positive"]), label2id={"POSITIVE": 0, "NEGATIVE": 1, "NEUTRAL": 2})
    assert found.names == ("POSITIVE", "NEGATIVE", "NEUTRAL") and found.num_labels == 3
    assert found.encode(rows(["negative", "Positive"])).tolist() == [1, 0]
    by_class = read_labels(rows([0, 1]), class_names=("neg", "pos"), label2id={"pos": 0, "neg": 1})
    assert by_class.encode(rows([0, 1])).tolist() == [1, 0]


def test_labels_fit_a_checkpoint_by_id() -> None:
    found = read_labels(rows([1, 0]), label2id={"LABEL_1": 1, "LABEL_0": 0})
    assert found.names == ("LABEL_0", "LABEL_1") and found.encode(rows([1, 0])).tolist() == [1, 0]


@pytest.mark.parametrize("labels", [["good", "bad"], [0, 2], [1, -1]])
def test_labels_that_do_not_fit_the_checkpoint(labels: list[Label]) -> None:
    with pytest.raises(
        DataError, match="labels .* do not fit the head of the checkpoint, which has 0: NEG, 1: POS"
    ):
        read_labels(rows(labels), label2id={"NEG": 0, "POS": 1})


def test_regression_and_a_checkpoint() -> None:
    assert read_labels(rows([1, 2]), label2id={"LABEL_0": 0}).kind == "regression"
    with pytest.raises(DataError, match="labels are numbers for regression, but the checkpoint's head has"):
        read_labels(rows([0.5, 1]), label2id={"NEG": 0, "POS": 1})
