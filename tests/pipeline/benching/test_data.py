from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from compresskit.data.columns import find_label_column, find_text_columns
from compresskit.data.rows import Rows, read_rows
from compresskit.data.sources import load_source
from compresskit.errors import DataError
from compresskit.pipeline.benching.data import labelled_table, read_for
from compresskit.tasks.classification import Classification
from compresskit.tasks.embedding import Embedding
from compresskit.tasks.examples import DataOptions


def read_labelled(dataset: Path, **options: Any) -> Rows:
    found = labelled_table(dataset, Classification, DataOptions(**options))
    label = find_label_column(found.table, options.get("label_column"))
    columns = find_text_columns(found.table, label, options.get("text_columns"))
    return read_rows(found.split, found.table, columns, label)


def write_csv(file: Path, text: str) -> Path:
    file.write_text(text, encoding="utf-8")
    return file


def write_jsonl(file: Path, rows: list[dict[str, Any]]) -> Path:
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return file


def test_csv_with_quotes_and_line_breaks(tmp_path: Path) -> None:
    data = read_labelled(write_csv(tmp_path / "d.csv", 'sentence,label\n"one, ""two""\nthree",1\nfour,0\n'))
    assert data.texts == [('one, "two"\nthree',), ("four",)]
    assert data.labels == [1, 0]


def test_json_lines_with_pairs(tmp_path: Path) -> None:
    row = {"idx": 3, "premise": "a", "hypothesis": "b", "label": 1}
    data = read_labelled(write_jsonl(tmp_path / "d.jsonl", [row]))
    assert (data.texts, data.labels) == ([("a", "b")], [1])


def test_parquet_where_pyarrow_is(tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    parquet.write_table(pa.table({"text": ["x", "y"], "label": [1, 0]}), tmp_path / "d.parquet")
    assert read_labelled(tmp_path / "d.parquet").labels == [1, 0]


def test_parquet_without_pyarrow_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    (tmp_path / "d.parquet").write_bytes(b"PAR1")
    with pytest.raises(DataError, match="pip install pyarrow"):
        read_labelled(tmp_path / "d.parquet")


def test_a_folder_gives_its_test_split_else_validation(tmp_path: Path) -> None:
    write_csv(tmp_path / "train.csv", "text,label\nnever,1\n")
    write_csv(tmp_path / "validation-00000-of-00001.csv", "text,label\nsecond,1\n")
    assert read_labelled(tmp_path).texts == [("second",)]
    write_csv(tmp_path / "test.csv", "text,label\nunlabelled,-1\n")
    assert read_labelled(tmp_path).texts == [("second",)]
    write_csv(tmp_path / "test.csv", "text,label\nfirst,0\n")
    assert read_labelled(tmp_path).texts == [("first",)]


@pytest.mark.parametrize(
    "head",
    [
        "question,context,label",
        "document,question,label",
        "query,document,label",
        "Sentence,Label",
        "tweet,coarse_label",
        "text_a,text_b,similarity_score",
        "body,stars",
    ],
)
def test_columns_are_those_that_a_search_takes(tmp_path: Path, head: str) -> None:
    columns = head.split(",")
    row = [f"{column} of the row" for column in columns[:-1]]
    data = read_labelled(write_csv(tmp_path / "d.csv", f"{head}\n{','.join(row)},1\n"))
    table = load_source(tmp_path / "d.csv").splits["train"]
    label = find_label_column(table)
    wanted = find_text_columns(table, label)
    assert (data.texts, data.labels) == ([tuple(table.columns[name][0] for name in wanted)], [1])


def test_parts_of_a_split_are_one(tmp_path: Path) -> None:
    for part, text in enumerate(("first", "second")):
        write_csv(tmp_path / f"val-0000{part}-of-00002.csv", f"text,label\n{text},1\n")
    assert read_labelled(tmp_path).texts == [("first",), ("second",)]


def test_columns_can_be_named(tmp_path: Path) -> None:
    file = write_csv(tmp_path / "d.csv", "a,b,gold\nx,y,1\n")
    data = read_labelled(file, text_columns=("b", "a"), label_column="gold")
    assert (data.texts, data.labels) == ([("y", "x")], [1])


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("d.csv", "text,gold\nx,1\n", "no label column .*columns present: text, gold"),
        ("d.csv", "a,b,label\nx,y,1\n", "--text-column"),
        ("d.csv", "text,label\n", "has no rows"),
        ("d.xml", "x", "an unknown type; permitted: .parquet, .csv"),
        ("d.jsonl", '{"text": 3, "label": 1}\n', "text column 'text' holds whole numbers, not text"),
        ("d.jsonl", "[1]\n", "item 1 of the array is not a JSON object"),
        ("d.jsonl", "{\n", "cannot be read"),
    ],
)
def test_bad_files(tmp_path: Path, name: str, content: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_labelled(write_csv(tmp_path / name, content))


def test_bad_folders(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="does not exist"):
        read_labelled(tmp_path / "absent")
    write_csv(tmp_path / "train.csv", "text,label\nx,1\n")
    with pytest.raises(DataError, match="no labelled test or validation file"):
        read_labelled(tmp_path)
    for name in ("test.csv", "test.tsv"):
        write_csv(tmp_path / name, "text,label\nx,1\n")
    with pytest.raises(DataError, match="several files for its test split: test.csv, test.tsv"):
        read_labelled(tmp_path)


def test_rows_without_text_or_label_are_left_out_as_in_a_search(tmp_path: Path) -> None:
    file = write_csv(tmp_path / "d.csv", "text,label\nx,001\n ,002\ny,\n")
    found = read_for([Classification(("001",), "accuracy"), None], file, DataOptions())
    data, nothing = found.of
    assert data is not None and nothing is None and found.source == str(file)
    assert (data.texts, data.labels.tolist()) == ([("x",)], [0])
    assert found.notes == ("2 of 3 rows of the test split lack a text or label and were dropped",)


def test_minus_one_is_a_class_where_training_has_it(tmp_path: Path) -> None:
    write_csv(tmp_path / "test.csv", "text,label\nx,-1\n")
    with pytest.raises(
        DataError, match=r"no labels of task classification in test.csv .text, label.; give data of this"
    ):
        read_labelled(tmp_path)
    write_csv(tmp_path / "train.csv", "text,label\na,-1\nb,1\n")
    assert read_labelled(tmp_path).labels == [-1]
    write_csv(tmp_path / "train.csv", "text,label\na,0\nb,1\n")
    with pytest.raises(
        DataError, match=r"no labels of task classification in test.csv .text, label.; give data of this"
    ):
        read_labelled(tmp_path)


def test_vectors_are_not_scored_by_texts_alone(tmp_path: Path) -> None:
    (tmp_path / "train.txt").write_text("one text\nanother text\n")
    with pytest.raises(DataError, match=r"no labelled test or validation file.*Vectors are scored by a file"):
        read_for([Embedding((), "cosine")], tmp_path, DataOptions())
