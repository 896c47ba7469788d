from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from torch import nn

from compresskit.errors import ConfigurationError, DataError
from compresskit.inputs import IMAGES, TEXT, InputSpec
from compresskit.tasks.task import Task, load_task
from tests.contracts.task import TaskContract
from tests.images.make import COLOURS, image_model, processor, write_folder
from tests.tasks.make import labelled, tokenizer, write_csv


class TestImage(TaskContract):
    name = "image"
    max_length = None
    wrong = (None, 5, {}, (1, 2))

    @staticmethod
    def reader() -> Any:
        return processor()

    @staticmethod
    def serving() -> Any:
        return processor()

    @staticmethod
    def inputs() -> InputSpec:
        return IMAGES

    @staticmethod
    def make_model(task: Task) -> nn.Module:
        return image_model(task.kind.num_labels)

    def write(self, folder: Path) -> Path:
        return write_folder(folder, 150)


def load(dataset: Path, **options: Any) -> Task:
    return load_task(dataset, tokenizer=processor(), inputs=IMAGES, **options)


def test_splits_have_folders_of_their_own(tmp_path: Path) -> None:
    write_folder(tmp_path, 60, "train")
    task = load(write_folder(tmp_path, 30, "val"))
    assert task.kind.labels == tuple(COLOURS)
    assert len(task.train) + len(task.validation) == 60 and len(task.test) == 30


def test_parquet_holds_the_same_images(tmp_path: Path) -> None:
    files = sorted(write_folder(tmp_path / "folder", 90).rglob("*.png"))
    images = [{"bytes": file.read_bytes(), "path": file.name} for file in files]
    table = pa.table({"image": images, "label": [file.parent.name for file in files]})
    pq.write_table(table, tmp_path / "train.parquet")
    tasks = load(tmp_path / "folder"), load(tmp_path / "train.parquet")
    assert tasks[0].kind == tasks[1].kind and tasks[0].fingerprint == tasks[1].fingerprint


def test_images_that_do_not_decode_are_counted_and_named(tmp_path: Path) -> None:
    folder = write_folder(tmp_path, 90)
    for name in ("red/2.png", "red/5.png"):
        (folder / name).write_bytes(b"no image")
    with pytest.raises(DataError, match=r"2 of \d+ images cannot be used: row .*png\) is not an image"):
        load(folder, seed=1)


def test_an_image_without_a_class_is_named(tmp_path: Path) -> None:
    folder = write_folder(tmp_path, 6)
    (folder / "red" / "2.png").rename(folder / "2.png")
    with pytest.raises(DataError, match=r"2.png' stands in no class"):
        load(folder)


def test_equal_images_of_training_and_test_are_found(tmp_path: Path) -> None:
    write_folder(tmp_path, 60, "train")
    test = tmp_path / "test" / "red"
    test.mkdir(parents=True)
    for file in (tmp_path / "train" / "red").iterdir():
        (test / file.name).write_bytes(file.read_bytes())
    assert any("20 of 60 training rows are also in the test set" in note for note in load(tmp_path).notes)


def test_a_length_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="max length cuts texts"):
        load(write_folder(tmp_path, 60), max_length=64)


def test_the_model_has_to_read_what_the_data_hold(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="task image reads images, and this model texts"):
        load_task(write_folder(tmp_path / "images", 60), tokenizer=tokenizer(), inputs=TEXT)
    texts = write_csv(tmp_path / "data.csv", labelled(60))
    with pytest.raises(ConfigurationError, match="task classification reads texts, and this model images"):
        load(texts)
