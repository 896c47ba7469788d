from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from compresskit.data.conventions import role_of
from compresskit.data.sources import load_source
from compresskit.errors import DataError
from tests.tasks.make import write_csv, write_json_lines


def test_a_folder_gives_its_splits_by_name(tmp_path: Path) -> None:
    write_csv(tmp_path / "train-00000-of-00002.csv", [("a", 0)])
    write_csv(tmp_path / "train-00001-of-00002.csv", [("b", 1)])
    write_json_lines(tmp_path / "dev.jsonl", [{"text": "c", "label": 0}])
    write_csv(tmp_path / "test" / "part.csv", [("d", 0)])
    (tmp_path / "notes.txt").write_text("no data")
    source = load_source(str(tmp_path))
    assert {role: table.num_rows for role, table in source.splits.items()} == {
        "train": 2,
        "validation": 1,
        "test": 1,
    }
    assert source.splits["train"].columns["text"] == ["a", "b"]


def test_one_file_is_the_training_split(tmp_path: Path) -> None:
    source = load_source(write_csv(tmp_path / "a.csv", [("a", 0)]))
    assert source.name == "a" and list(source.splits) == ["train"]


def test_a_folder_of_one_file_is_that_file(tmp_path: Path) -> None:
    write_csv(tmp_path / "reviews.csv", [("a", 0)])
    assert list(load_source(tmp_path).splits) == ["train"]


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("train", "train"),
        ("Training", "train"),
        ("dev", "validation"),
        ("validation_matched", "validation"),
        ("val.v2", "validation"),
        ("test-00000-of-00001", "test"),
        ("testimony", None),
        ("unsupervised", None),
    ],
)
def test_roles(name: str, role: str | None) -> None:
    assert role_of(name) == role


def test_a_path_that_does_not_exist_is_not_asked_of_the_hub(tmp_path: Path) -> None:
    for path in (str(tmp_path / "none"), "./data", "~/none", "reviews.csv", "a/b/c"):
        with pytest.raises(DataError, match=r"does not exist; give a folder"):
            load_source(path)


def test_unreadable_files_and_folders(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("text,label\none,2,3\n")
    (tmp_path / "b.jsonl").write_text("[1]")
    (tmp_path / "c.csv").touch()
    (tmp_path / "d.xml").write_text("x")
    for name, message in [
        ("a.csv", "cannot be read as csv"),
        ("b.jsonl", "item 1 of the array is not a JSON object"),
        ("c.csv", "is empty"),
        ("d.xml", "an unknown type; permitted: .parquet, .csv"),
    ]:
        with pytest.raises(DataError, match=message):
            load_source(tmp_path / name)
    with pytest.raises(DataError, match=r"no training split; found: a.csv, b.jsonl, c.csv"):
        load_source(tmp_path)
    write_csv(tmp_path / "e" / "train.csv", [("a", 0)])
    write_json_lines(tmp_path / "e" / "train.jsonl", [{"text": "c", "label": 0}])
    with pytest.raises(DataError, match=r"several files for its train split: train.csv, train.jsonl"):
        load_source(tmp_path / "e")


def test_a_hub_data_set(monkeypatch: pytest.MonkeyPatch) -> None:
    import datasets

    features = datasets.Features(
        {"text": datasets.Value("string"), "label": datasets.ClassLabel(names=["n", "y"])}
    )
    asked: list[Any] = []

    def load(name: str, config: str | None) -> Any:
        asked.append((name, config))
        data = datasets.Dataset.from_dict({"text": ["a", "b"], "label": [0, 1]}, features=features)
        splits = {"train": data, "validation_matched": data, "validation_mismatched": data.select([0])}
        return datasets.DatasetDict(splits)

    monkeypatch.setattr(datasets, "load_dataset", load)
    source = load_source("owner/set:sub")
    assert asked == [("owner/set", "sub")]
    assert {role: table.num_rows for role, table in source.splits.items()} == {"train": 2, "validation": 2}
    assert source.splits["train"].columns == {"text": ["a", "b"], "label": [0, 1]}
    assert source.splits["train"].class_names == {"label": ("n", "y")}


def test_a_hub_that_fails_is_the_users_error(monkeypatch: pytest.MonkeyPatch) -> None:
    import datasets

    def fail(name: str, config: str | None) -> Any:
        raise ConnectionError("no way there\nmore")

    monkeypatch.setattr(datasets, "load_dataset", fail)
    with pytest.raises(DataError, match=r"'owner/set' is not a local path.*hub: no way there\. Give id"):
        load_source("owner/set")
