from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from compresskit.data.label_values import Label
from compresskit.data.rows import Rows
from compresskit.errors import DataError
from compresskit.tasks.label_ids import absent_note, read_labels


def rows(labels: Sequence[Label], split: str = "train") -> Rows:
    return Rows(split, [("w",)] * len(labels), list(labels), list(range(1, len(labels) + 1)), 0)


def test_classes_are_numbered_in_sorted_order() -> None:
    text = read_labels(rows(["pos", "neg", "pos"]))
    assert (text.kind, text.names) == ("classification", ("neg", "pos"))
    assert text.encode(rows(["pos", "neg"])).tolist() == [1, 0]
    numbers = read_labels(rows([10, 2, 2]))
    assert numbers.names == ("2", "10") and numbers.encode(rows([10])).tolist() == [1]


def test_class_names_of_the_data_set_are_kept() -> None:
    assert read_labels(rows([1, 0]), class_names=("negative", "positive")).names == ("negative", "positive")


def test_numbers_make_a_regression() -> None:
    found = read_labels(rows([1.5, 2, 3]), kind="regression")
    assert found.names == ()
    encoded = found.encode(rows([0.5, 2]))
    assert encoded.dtype == "float32" and encoded.tolist() == [0.5, 2.0]


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


@pytest.mark.parametrize("kind", ["classification", "regression"])
def test_decimal_commas_are_told(kind: str) -> None:
    with pytest.raises(DataError, match=r"labels such as '0,5' .* write points, such as 0.5"):
        read_labels(rows(["0,5", "3,5", 4, "1"]), kind=kind)
    assert read_labels(rows(["1,2", "none"])).names == ("1,2", "none")


def test_labels_that_are_no_numbers() -> None:
    with pytest.raises(DataError, match="label 'x' in row 2 of the train split is not a number"):
        read_labels(rows([1, "x"]), kind="regression")
    with pytest.raises(DataError, match="label inf in row 1 of the test split"):
        read_labels(rows([1.5, 2]), kind="regression").encode(rows([float("inf")], "test"))


def test_labels_fit_a_checkpoint_by_name() -> None:
    found = read_labels(rows(["negative", "Positive"]), label2id={"POSITIVE": 0, "NEGATIVE": 1, "NEUTRAL": 2})
    assert found.names == ("POSITIVE", "NEGATIVE", "NEUTRAL")
    assert found.encode(rows(["negative", "Positive"])).tolist() == [1, 0]
    by_class = read_labels(rows([0, 1]), class_names=("neg", "pos"), label2id={"pos": 0, "neg": 1})
    assert by_class.encode(rows([0, 1])).tolist() == [1, 0]


def test_labels_fit_a_checkpoint_by_id() -> None:
    found = read_labels(rows([1, 0]), label2id={"LABEL_1": 1, "LABEL_0": 0})
    assert found.names == ("LABEL_0", "LABEL_1") and found.encode(rows([1, 0])).tolist() == [1, 0]


def test_labels_that_are_numbers_fit_a_checkpoint_by_name_before_id() -> None:
    codes = {"001": 0, "002": 1, "003": 2}
    assert read_labels(rows(["001", "002"]), label2id=codes).encode(rows(["002", "003"])).tolist() == [1, 2]
    assert read_labels(rows([1, 2]), label2id={"2": 0, "1": 1}).encode(rows([1, 2])).tolist() == [1, 0]
    stars = {f"{i} stars": i - 1 for i in range(1, 6)}
    found = read_labels(rows([1, 4]), label2id=stars)
    assert found.encode(rows([1, 4])).tolist() == [0, 3] and "1 is 1 stars" in found.notes[0]


def test_text_of_a_label_is_its_name() -> None:
    assert read_labels(rows(["001", "010"])).names == ("001", "010")
    found = read_labels(rows(["1", "1.0", "2.0"]))
    assert found.names == ("1", "2.0") and found.encode(rows(["1.0", "2.0", 2])).tolist() == [0, 1, 1]
    assert found.notes == ("labels that are one number were taken for one class: '1.0' and '1'",)


def test_look_alikes_are_said() -> None:
    assert read_labels(rows(["Good", "good", "bad"])).notes == (
        "labels 'Good', 'good' differ in case or spaces alone and are 2 classes",
    )
    assert read_labels(rows(["001", "1", "2"])).notes == (
        "labels '001', '1' differ in leading zeros alone and are 2 classes",
    )


def test_another_split_may_spell_a_label_otherwise() -> None:
    found, other = read_labels(rows(["good", "bad"])), rows(["Good", "bad"], "test")
    assert found.encode(other).tolist() == [1, 0]
    assert found.spelling_note(other) == "labels of the test split are spelled differently: 'Good' for 'good'"
    assert found.spelling_note(rows(["good"], "test")) is None


def test_classes_without_rows_are_counted() -> None:
    names = ("a", "b", "c")
    assert absent_note("test", np.asarray([0, 0]), names) == "classes without a test row: 2 of 3 (b, c)"
    assert absent_note("test", np.asarray([0, 2, 1]), names) is None
    assert absent_note("test", np.asarray([0.5]), ()) is None


def test_regression_takes_numbers_that_are_text() -> None:
    assert read_labels(rows(["1.0", "2.0"]), kind="regression").encode(rows(["3.5"])).tolist() == [3.5]


def test_labels_that_count_from_1_are_not_taken_for_ids() -> None:
    head = {f"LABEL_{i}": i for i in range(5)}
    with pytest.raises(
        DataError, match=r"labels 1, 2, 3, 4 may be class ids.*or count from 1. Write the names"
    ):
        read_labels(rows([1, 2, 3, 4]), label2id=head)
    with pytest.raises(DataError, match="labels 1, 5 do not fit the head"):
        read_labels(rows([1, 5]), label2id=head)


@pytest.mark.parametrize("labels", [["good", "bad"], [0, 2], [1, -1]])
def test_labels_that_do_not_fit_the_checkpoint(labels: list[Label]) -> None:
    with pytest.raises(
        DataError, match="labels .* do not fit the head of the checkpoint, which has 0: NEG, 1: POS"
    ):
        read_labels(rows(labels), label2id={"NEG": 0, "POS": 1})


def test_regression_and_a_checkpoint() -> None:
    with pytest.raises(DataError, match="labels are numbers for regression, but the checkpoint's head has"):
        read_labels(rows([0.5, 1]), kind="regression", label2id={"NEG": 0, "POS": 1})
