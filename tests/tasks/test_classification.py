from __future__ import annotations

from pathlib import Path

import numpy as np

from compresskit.tasks.classification import Classification
from tests.contracts.task import TaskContract
from tests.tasks.make import labelled, write_csv


class TestClassification(TaskContract):
    name = "classification"

    def write(self, folder: Path) -> Path:
        return write_csv(folder / "data.csv", labelled(150, labels=("bad", "fair", "good")))


def test_a_mistake_is_another_class_that_occurs() -> None:
    kind = Classification(("a", "b", "c"), "accuracy")
    labels = np.asarray([0, 1, 0, 1])
    assert kind.mistaken(labels, np.asarray([1, 0, 0])).tolist() == [1, 0, 1, 0]
    assert kind.mistaken(labels, np.asarray([0, 0])).tolist() == [1, 0, 1, 0]
