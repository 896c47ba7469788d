from __future__ import annotations

from pathlib import Path

from tests.contracts.task import TaskContract
from tests.tasks.make import labelled, write_csv


class TestRegression(TaskContract):
    name = "regression"

    def write(self, folder: Path) -> Path:
        return write_csv(folder / "data.csv", labelled(150, labels=(0.5, 1.5, 3.25)))
