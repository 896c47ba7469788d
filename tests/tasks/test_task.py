from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from compresskit.errors import ConfigurationError, DataError
from compresskit.inputs import PART
from compresskit.tasks import task as module
from compresskit.tasks.sentence import Sentence
from compresskit.tasks.task import Split, Task, load_task
from tests.tasks.make import labelled, sentence, tokenizer, write_csv


def load(path: Path, **options: Any) -> Task:
    return load_task(path, **{"tokenizer": tokenizer(), "max_length": 32} | options)


def test_train_and_validation_files(tmp_path: Path) -> None:
    write_csv(tmp_path / "train.csv", labelled(100, labels=("no", "yes")))
    write_csv(tmp_path / "validation.csv", labelled(30, 1, labels=("no", "yes")))
    task = load(tmp_path)
    assert (task.kind.name, task.metric_name, task.kind.labels, task.kind.num_labels) == (
        "classification",
        "accuracy",
        ("no", "yes"),
        2,
    )
    assert (task.text_columns, task.label_column) == (("text",), "label")
    assert (len(task.train), len(task.validation), len(task.test), len(task.search)) == (70, 30, 30, 30)
    assert task.test.labels.tolist() == [0, 1] * 15
    assert task.lengths(task.train).tolist() == [10] * 70
    assert task.notes == []
    assert task.prior(task.test) == 0.5
    assert task.score(np.eye(2)[task.test.labels], task.test.labels) == 1.0


def test_a_labelled_test_split_tests(tmp_path: Path) -> None:
    for seed, (name, count) in enumerate([("train", 100), ("validation", 20), ("test", 10)]):
        write_csv(tmp_path / f"{name}.csv", labelled(count, seed))
    task = load(tmp_path)
    assert [text for (text,) in task.test.texts] == [text for text, _ in labelled(10, 2)]
    assert (len(task.train), len(task.validation)) == (70, 30)
    assert any("validation split is not used" in note for note in task.notes)


@pytest.mark.parametrize("unlabelled", [-1, ""])
def test_a_test_split_without_labels_does_not_test(tmp_path: Path, unlabelled: object) -> None:
    write_csv(tmp_path / "train.csv", labelled(100))
    write_csv(tmp_path / "validation.csv", labelled(20, 1))
    write_csv(tmp_path / "test.csv", labelled(10, 2, labels=(unlabelled,)))
    task = load(tmp_path)
    assert len(task.test) == 20
    assert task.notes == ["the test split has no labels and is not used"]


def test_one_file_of_pairs_with_numbers(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    rows = [(sentence(rng), sentence(rng), round(float(rng.random()), 3)) for _ in range(200)]
    task = load(write_csv(tmp_path / "pairs.csv", rows, "sentence1,sentence2,score"))
    assert (task.kind.name, task.metric_name, task.kind.num_labels, task.kind.labels) == (
        "regression",
        "pearson_spearman",
        1,
        (),
    )
    assert (len(task.train), len(task.validation), len(task.test)) == (160, 20, 20)
    assert task.train.labels.dtype == np.float32
    assert len(task.train.texts[0]) == 2 and set(task.train.encoded[0]["token_type_ids"]) == {0, 1}
    by_text = {row[:2]: row[2] for row in rows}
    assert all(
        by_text[texts[0], texts[1]] == pytest.approx(label)
        for texts, label in zip(task.test.texts, task.test.labels, strict=True)
    )


def test_the_seed_decides_and_the_tokenizer_does_not(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a.csv", labelled(100))
    first, again, other = load(path, seed=1), load(path, seed=1, max_length=5), load(path, seed=2)
    assert first.validation.texts == again.validation.texts != other.validation.texts


def test_search_scores_on_a_fixed_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SEARCH_ROWS", 12)
    write_csv(tmp_path / "train.csv", labelled(100))
    write_csv(tmp_path / "test.csv", labelled(10, 1))
    task = load(tmp_path)
    assert len(task.search) == 12 and task.search.labels.sum() == 6
    assert set(task.search.texts) <= set(task.validation.texts)
    assert task.search.texts == load(tmp_path).search.texts


def test_rows_of_an_input_stay_together() -> None:
    sizes = (1, 3, 2)
    encoded = [{"input_ids": [i], PART: (part, size)} for i, size in enumerate(sizes) for part in range(size)]
    split = Split([("a",), ("b",), ("c",)], np.array([5, 6, 7]), encoded, ["x", "y", "z"])
    rows, labels = split.labelled([4, 0, 3])
    assert [row["input_ids"] for row in rows] == [[2], [0], [1]] and labels.tolist() == [7, 5, 6]
    some = split.subset([1, 0])
    assert some.encoded == encoded[1:4] + encoded[:1] and some.raw == ["y", "x"]
    assert (some.texts, some.labels.tolist()) == ([("b",), ("a",)], [6, 5])
    assert some.origins.tolist() == [0, 0, 0, 1]


def test_what_was_left_out_is_said(tmp_path: Path) -> None:
    rows = labelled(100)
    write_csv(tmp_path / "train.csv", [*rows, ("", 1), ("w1 w2 w3", "")])
    write_csv(tmp_path / "test.csv", [rows[4], *labelled(9, 1)])
    task = load(tmp_path, max_length=9)
    assert task.notes == [
        "2 of 102 rows of the train split lack a text or label and were dropped",
        "1 of 100 training rows are also in the test set and were dropped",
        "69 of 69 training texts were cut to 9 tokens",
        "30 of 30 validation texts were cut to 9 tokens",
        "10 of 10 test texts were cut to 9 tokens",
    ]


def test_a_checkpoint_decides_the_ids(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a.csv", labelled(60, labels=("no", "yes")))
    task = load(path, label2id={"yes": 0, "no": 1, "maybe": 2})
    assert task.kind.labels == ("yes", "no", "maybe") and task.kind.num_labels == 3
    truth = dict(labelled(60, labels=("no", "yes")))
    assert [task.kind.labels[i] for i in task.test.labels] == [truth[text] for (text,) in task.test.texts]


def test_bad_input(tmp_path: Path) -> None:
    train = write_csv(tmp_path / "train.csv", labelled(60))
    with pytest.raises(DataError, match="do not fit the head of the checkpoint"):
        load(train, label2id={"a": 0, "b": 3})
    with pytest.raises(ConfigurationError, match="permitted: 3 to 16"):
        load(train, max_positions=16)
    with pytest.raises(ConfigurationError, match="classification metric 'pearson'"):
        load(train, metric="pearson")
    with pytest.raises(DataError, match="column 'stars' is missing; columns present: text"):
        load(train, label_column="stars")
    write_csv(tmp_path / "test.csv", [*labelled(9, 1), ("w1 w2", 7)])
    with pytest.raises(DataError, match="labels of the test split are not in training: 7 in row 10"):
        load(tmp_path)
    write_csv(tmp_path / "test.csv", [])
    with pytest.raises(DataError, match="the test split is empty"):
        load(tmp_path)


SIZES = {  # data set: training rows as given, test rows, fraction for validation, rows that stand in test
    "mrpc": (3668, 408, 0.3, 0),
    "cola": (8551, 1043, 0.3, 16),
    "sst2": (67349, 872, 0.1, 0),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", SIZES)
def test_glue(name: str) -> None:
    folder = os.environ.get("COMPRESSKIT_DATA")
    if folder is None or not (Path(folder) / name).is_dir():
        pytest.skip(
            "set COMPRESSKIT_DATA to a folder that holds GLUE's mrpc, cola and sst2 as train and validation"
        )
    task = load(Path(folder) / name, max_length=128)
    rows, test, fraction, standing = SIZES[name]
    assert len(task.test) == test
    assert any(
        f"{standing} of {rows:,} training rows are also in the test set" in note for note in task.notes
    ) == bool(standing)
    assert len(task.validation) <= 1.01 * fraction * rows
    assert len(task.train) >= 0.88 * rows * (1 - fraction) / 0.9
    if name == "sst2":
        assert np.median(task.lengths(task.validation)) > 15


@pytest.mark.parametrize(
    ("kind", "given", "wanted"),
    [
        ("classification", {}, 128),
        ("embedding", {"sentence": Sentence(max_length=256)}, 256),
        ("embedding", {"sentence": Sentence(max_length=900)}, 512),
        ("embedding", {"sentence": Sentence()}, 128),
        ("embedding", {"sentence": Sentence(max_length=256), "max_length": 9}, 9),
    ],
)
def test_a_length_that_nobody_names_is_the_models_or_the_usual(
    tmp_path: Path, kind: str, given: dict[str, Any], wanted: int
) -> None:
    path = write_csv(tmp_path / "rows.csv", labelled(100))
    options: dict[str, Any] = {"max_length": None, "max_positions": 512, "kind": kind}
    columns = {"text_columns": ["text"]} if kind == "embedding" else {}
    assert load(path, **options | columns | given).max_length == wanted
