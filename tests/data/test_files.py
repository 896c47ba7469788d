from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import psutil
import pytest

from compresskit.data.files import read_table
from compresskit.errors import DataError
from tests.tasks.make import write_csv, write_json_lines

ROWS = [{"text": "w1 w2", "label": "001"}, {"text": 'say "w3",\nw4', "label": "1.0"}]


def test_one_file_of_each_kind_reads_alike(tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    parquet.write_table(pa.Table.from_pylist(ROWS), tmp_path / "a.parquet")
    write_json_lines(tmp_path / "a.jsonl", ROWS)
    for name, tab in (("a.csv", ","), ("a.tsv", "\t")):
        text = f'text{tab}label\nw1 w2{tab}001\n\n"say ""w3"",\nw4"{tab}1.0\n'
        (tmp_path / name).write_text(text, encoding="utf-8")
    for name in ("a.parquet", "a.jsonl", "a.csv", "a.tsv"):
        table = read_table([tmp_path / name])
        assert table.columns == {"text": ["w1 w2", 'say "w3",\nw4'], "label": ["001", "1.0"]}, name
        assert table.is_typed == (name in ("a.parquet", "a.jsonl")) and table.num_rows == 2


def test_json_lines_with_other_keys_in_each_line(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"text": "a"}\n\n{"label": true, "text": "b"}\n', encoding="utf-8")
    assert read_table([tmp_path / "a.jsonl"]).columns == {"text": ["a", "b"], "label": [None, True]}


def test_one_object_is_a_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On one line, which may be longer than a row of text is, or on several."""
    monkeypatch.setattr("compresskit.data.lines.MAX_LINE", 10)
    for indent in (None, 1):
        (tmp_path / "a.json").write_text(json.dumps({"version": "1", "data": ["a" * 20]}, indent=indent))
        assert read_table([tmp_path / "a.json"]).columns == {"version": ["1"], "data": [["a" * 20]]}
    (tmp_path / "a.json").write_text(json.dumps([{"data": "a" * 20}, {"data": "b"}]))
    assert read_table([tmp_path / "a.json"]).columns == {"data": ["a" * 20, "b"]}
    (tmp_path / "a.json").write_text('{"a": 1}\n{"a": 2}\n')
    assert read_table([tmp_path / "a.json"]).columns == {"a": [1, 2]}


def test_class_names_in_the_metadata_of_parquet(tmp_path: Path) -> None:
    import datasets

    features = datasets.Features(
        {"text": datasets.Value("string"), "label": datasets.ClassLabel(names=["n", "y"])}
    )
    data = datasets.Dataset.from_dict({"text": ["a", "b"], "label": [0, 1]}, features=features)
    data.to_parquet(str(tmp_path / "a.parquet"))
    assert read_table([tmp_path / "a.parquet"]).class_names == {"label": ("n", "y")}


@pytest.mark.parametrize("metadata", [{}, {"huggingface": "no JSON"}, {"huggingface": '{"info": [1]}'}])
def test_other_metadata_gives_no_class_names(tmp_path: Path, metadata: dict[str, str]) -> None:
    pa = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    table = pa.table({"text": ["a"], "label": [0]}).replace_schema_metadata(metadata)
    parquet.write_table(table, tmp_path / "a.parquet")
    assert read_table([tmp_path / "a.parquet"]).class_names == {}


@pytest.mark.parametrize(("mark", "name"), [(";", "semicolon"), ("\t", "tab"), ("|", "vertical bar")])
def test_csv_with_another_delimiter(tmp_path: Path, mark: str, name: str) -> None:
    file = tmp_path / "a.csv"
    file.write_text(f'text{mark}label\nyes, and no{mark}1\n"a{mark}b"{mark}0\n')
    assert read_table([file]).columns == {"text": ["yes, and no", f"a{mark}b"], "label": ["1", "0"]}
    file.write_text(f"text{mark}label\na{mark}b{mark}1\n")
    with pytest.raises(
        DataError,
        match=f"has 3 values, the header 2; quote values, and names in the header, that hold a {name}",
    ):
        read_table([file])


def test_a_header_with_a_comma_is_read_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("text;kind,label\na;b,1\n")
    assert read_table([file]).columns == {"text;kind": ["a;b"], "label": ["1"]}
    file.write_text("text\none; two\n")
    assert read_table([file]).columns == {"text": ["one; two"]}


def test_a_long_field_is_read(tmp_path: Path) -> None:
    text = "x" * 500_000  # more than what the csv module takes by default
    assert read_table([write_csv(tmp_path / "a.csv", [(text, 1)])]).columns["text"] == [text]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (
            "a.csv",
            "text,label\none,2,3\n",
            r"cannot be read as csv: the row .* line 2 has 3 values, the header 2",
        ),
        ("a.csv", "text,label\none\n", "line 2 has 1 values, the header 2"),
        ("a.csv", 'text,label\na,1\n"b,1\nc,1\n', "quotation mark that is not closed"),
        ("a.tsv", "text\tlabel\na\tb\t1\n", "that hold a tab"),
        (
            "a.jsonl",
            '{"text": "a"}\n[{"text": 1}]\n',
            "line 2 is not a JSON object. JSON files hold one object",
        ),
        ("a.jsonl", '{"text": "a"}\n{"text"\n', "line 2: Expecting.*one object a line"),
        ("a.parquet", "no parquet", "cannot be read as parquet"),
        ("a.csv", "", "is empty"),
        ("a.xml", "x", "an unknown type; permitted: .parquet, .csv"),
    ],
)
def test_files_that_cannot_be_read(tmp_path: Path, name: str, content: str, message: str) -> None:
    (tmp_path / name).write_text(content, encoding="utf-8")
    with pytest.raises(DataError, match=message):
        read_table([tmp_path / name])


def test_a_file_that_does_not_fit_the_memory_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write_csv(tmp_path / "a.csv", [("a", 1)] * 100)
    free: Any = type("Free", (), {"available": 1_000})
    monkeypatch.setattr(psutil, "virtual_memory", lambda: free)
    with pytest.raises(DataError, match=r"of memory or more; 0.0 GB are free. Give fewer rows"):
        read_table([file])
