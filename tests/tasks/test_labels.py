"""Several labels a text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from compresskit.data.sources import Source
from compresskit.data.table import Table
from compresskit.errors import ConfigurationError, DataError
from compresskit.tasks.examples import DataOptions
from compresskit.tasks.labels import LEAST, MACRO, MICRO, LabelSets
from compresskit.tasks.metrics import MIDDLE
from compresskit.tasks.registry import kind_for
from tests.contracts.task import TaskContract
from tests.tasks.make import tagged_rows, write_json_lines

NAMES = ("a", "b", "c")
KIND = LabelSets(NAMES, MICRO)
TRAIN = Table.of({"text": ["p", "q", "r"], "labels": [["a", "c"], [], ["b"]]})


def labelled_sets(count: int, seed: int = 0) -> list[dict[str, Any]]:
    """Texts of which two words tell, each on its own, what labels they have: none, one or two."""
    return [
        {"text": " ".join(words), "labels": sorted({tag[2:] for tag in tags} - {""})}
        for words, tags in tagged_rows(count, seed)
    ]


class TestLabels(TaskContract):
    name = "labels"

    def write(self, folder: Path) -> Path:
        return write_json_lines(folder / "data.jsonl", labelled_sets(150))


def read(train: Table = TRAIN, test: Table | None = None, **options: Any) -> Any:
    splits = {"train": train} | ({} if test is None else {"test": test})
    return LabelSets.read(Source("data", splits), DataOptions(**options))


def test_a_new_head_begins_with_the_odds_of_each_label() -> None:
    bias = KIND.first_bias(np.array([[1, 0, 1], [0, 0, 1], [0, 0, 1], [0, 0, 1]]))
    np.testing.assert_allclose(1 / (1 + np.exp(-bias)), [0.25, 0.125, 0.875])


def test_reading() -> None:
    found = read(test=Table.of({"text": ["s"], "labels": [["c"]]}))
    assert found.kind == KIND
    assert found.train.texts == [("p",), ("q",), ("r",)]
    assert found.train.labels.tolist() == [[1, 0, 1], [0, 0, 0], [0, 1, 0]]
    assert found.test.labels.tolist() == [[0, 0, 1]]
    assert (found.columns, found.label_column) == (("text",), "labels")
    assert found.fingerprint != read().fingerprint
    flags = Table.of({"text": ["p", "q"], "a": [0, 1], "b": [1, 1], "none": [0, 0]})
    assert read(flags).kind.labels == ("a", "b")
    assert read(flags).notes == (
        "labels without a train row are left out: 1 (none)",
        "labels are the 3 columns of 0 and 1: a, b, none",
    )
    single = read(Table.of({"text": ["p", "q"], "label": ["a,b", "c"]}))
    assert "more than one label, such as 'a,b': task classification may fit it better" in single.notes[0]
    hidden = Table.of({"text": ["s"], "a": [-1], "b": [-1], "none": [-1]})
    assert read(flags, hidden).test is None


def test_which_tables_are_of_it() -> None:
    assert kind_for(TRAIN, DataOptions()) is LabelSets
    one = Table.of({"text": ["p", "q"], "label": ["a", "b"]})
    assert kind_for(one, DataOptions()) is not LabelSets
    head: dict[str, Any] = {"label2id": {"a": 0, "b": 1}, "head_task": LabelSets.hub_task}
    assert kind_for(one, DataOptions(**head)) is not LabelSets
    assert kind_for(one, DataOptions(**head, head_problem="multi_label_classification")) is LabelSets
    words = Table.of({"text": ["p"], "tokens": [["p"]], "labels": [["O"]]})
    assert kind_for(words, DataOptions()) is not LabelSets


def test_the_labels_of_a_fine_tuned_head_keep_their_numbers() -> None:
    head = {"d": 0, "c": 1, "b": 2, "a": 3}
    kept = read(label2id=head, head_problem="multi_label_classification")
    assert kept.kind.labels == ("d", "c", "b", "a")
    assert kept.train.labels.tolist()[0] == [0, 1, 0, 1]
    assert read(label2id=head).kind.labels == NAMES  # a head for one label a row


@pytest.mark.parametrize(
    ("test", "message"),
    [
        (Table.of({"text": ["s"], "labels": [["a", "e"]]}), "test split are not in training: 'e' in row 1"),
        (Table.of({"text": ["s"], "labels": [[{}]]}), "column labels, row 1: a label is neither"),
    ],
)
def test_bad_data_sets(test: Table, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read(test=test)
    with pytest.raises(DataError, match=r"no row of the train split has a label \(labels\)"):
        read(Table.of({"text": ["p"], "labels": [[]]}))


def test_an_engine_knows_its_labels() -> None:
    flags = Table.of({"text": ["p", "q"], "c": [0, 1], "a": [1, 1], "seen": [1, 0]})
    assert KIND.read_test(flags, "test", "f", DataOptions()).labels.tolist() == [[1, 0, 0], [1, 0, 1]]
    other = Table.of({"text": ["p", "q"], "labels": [["a"], ["b", "e"]]})
    with pytest.raises(DataError, match="f, row 2: label 'e' is not one of the engine's"):
        KIND.read_test(other, "test", "f", DataOptions())


def logits(probabilities: Any) -> Any:
    given = np.asarray(probabilities, dtype=np.float64)
    return np.log(given / (1 - given))


def test_micro_f1_has_one_threshold_for_all_labels() -> None:
    said = logits([[0.9, 0.3, 0.1], [0.2, 0.35, 0.05]])
    labels = np.array([[1, 1, 0], [0, 1, 0]])
    fitted = KIND.fitted(said, labels)
    assert fitted.thresholds == pytest.approx((0.25, 0.25, 0.25))
    assert fitted.score(said, labels) == 1 > KIND.score(said, labels)
    assert KIND.fitted(said, np.zeros_like(labels)).thresholds == (MIDDLE,) * 3


def test_macro_f1_has_one_for_each_label_with_enough_rows() -> None:
    kind = LabelSets(NAMES[:2], MACRO)
    labels = np.zeros((2 * LEAST, 2), dtype=np.int64)
    labels[:LEAST, 0], labels[0, 1] = 1, 1
    said = logits(np.where(labels, 0.8, [0.6, 0.1]))
    fitted = kind.fitted(said, labels)
    assert fitted.thresholds == pytest.approx((0.7, 0.7))
    said = logits(np.where(labels, [0.2, 0.9], 0.1))
    assert kind.fitted(said, labels).thresholds == pytest.approx((0.15, 0.15))
    assert "they share one threshold" in str(kind.absent("validation", labels[1:]))
    assert "threshold" not in str(kind.absent("test", labels[1:]))


def test_scores() -> None:
    said = np.array([[1, 1, 0], [0, 1, 0], [0, 0, 1]])
    labels = np.array([[1, 0, 0], [0, 1, 0], [1, 0, 0]])
    assert KIND.score_answers(said, labels) == pytest.approx(4 / 7)  # 2 hits, 4 said, 3 true
    macro = LabelSets(NAMES, MACRO)
    assert macro.score_answers(said, labels) == pytest.approx((2 / 3 + 2 / 3) / 2)  # none has label c
    assert KIND.prior(labels, labels) == pytest.approx(2 * 2 / (3 + 3))  # a alone, in every row
    assert macro.prior(labels, labels) == pytest.approx((2 * 2 / 5 + 2 / 4) / 2)  # all labels
    assert KIND.counts(labels).tolist() == [2, 1, 0]


def test_thresholds_of_a_manifest_are_checked() -> None:
    assert LabelSets(NAMES, MICRO, [0.1, 0.2, 0.3]).to_json() == {  # type: ignore[arg-type]
        "name": "labels",
        "thresholds": (0.1, 0.2, 0.3),
    }
    for wrong in ((0.1,), (0.1, 0.2, 2), (0.1, 0.2, "c")):
        with pytest.raises(ConfigurationError, match="permitted: a number from 0 to 1 for each of 3 labels"):
            LabelSets(NAMES, MICRO, wrong)  # type: ignore[arg-type]


def test_predictions_have_names_and_probabilities() -> None:
    kind = LabelSets(NAMES, MICRO, (0.5, 0.2, 0.5))
    found = kind.decode(logits([[0.9, 0.3, 0.4], [0.1, 0.1, 0.1]]), [], [])
    assert [[each["label"] for each in row] for row in found] == [["a", "b"], []]
    assert [each["score"] for each in found[0]] == pytest.approx([0.9, 0.3])
