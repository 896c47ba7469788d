"""Which task a table is of."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from compresskit.data.table import Table
from compresskit.errors import ConfigurationError, DataError
from compresskit.tasks.examples import DataOptions
from compresskit.tasks.registry import kind_for, kind_named, read_data, task_kinds
from compresskit.tasks.sentence import Sentence
from tests.tasks.make import write_csv


def named(labels: list[Any], **options: Any) -> str:
    table = Table.of({"text": [f"text {i}" for i in range(len(labels))], "label": labels})
    return kind_for(table, DataOptions(**options)).name


def test_every_task_is_found_by_its_name() -> None:
    assert {"classification", "regression"} <= set(task_kinds())
    assert all(kind_named(name) is kind for name, kind in task_kinds().items())
    with pytest.raises(
        ConfigurationError, match="'tagging' is not known; permitted: choice, classification, "
    ):
        kind_named("tagging")


@pytest.mark.parametrize(
    ("labels", "task"),
    [
        ([1.5, 2, 3], "regression"),
        ([1.5, None, 3], "regression"),
        ([1.0, 2.0], "classification"),
        (["0.5", "1.5"], "classification"),  # text in a file that knows types
        ([0, 1], "classification"),
        (["a", 0.5], "classification"),
        ([None, None], "classification"),
    ],
)
def test_labels_tell_the_task(labels: list[Any], task: str) -> None:
    assert named(labels) == task


def test_a_head_of_one_output_makes_numbers_a_regression() -> None:
    one = {"LABEL_0": 0}
    assert named([1, 2], label2id=one) == "regression"
    assert named(["1.0", "2.0"], label2id=one) == "regression"
    assert named(["a", "b"], label2id=one) == "classification"
    assert named([1, 2], label2id=one, head_task="token-classification") == "classification"


def test_a_model_that_makes_vectors_hints_at_its_task(tmp_path: Path) -> None:
    file = write_csv(tmp_path / "texts.csv", [("one",), ("two",)], header="text")
    with pytest.raises(DataError, match=r"no label column.*sentence-transformers.*--task embedding"):
        read_data(file, None, DataOptions(sentence=Sentence()))
    with pytest.raises(DataError, match="no label column") as caught:
        read_data(file, None, DataOptions())
    assert "embedding" not in str(caught.value)
