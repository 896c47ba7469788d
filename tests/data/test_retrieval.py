"""Retrieval sets that say too little, or twice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from compresskit.data.retrieval import read_retrieval
from compresskit.errors import DataError
from tests.tasks.make import write_csv, write_json_lines

CORPUS, QUERIES, JUDGED = [(1, "x"), (2, "y")], [(7, "ask"), (8, "more")], [(7, 1, 1), (8, 2, 1)]


def write(
    folder: Path,
    corpus: list[tuple[int, str]] = CORPUS,
    queries: list[tuple[int, str]] = QUERIES,
    judged: list[tuple[int, int, int]] = JUDGED,
) -> Path:
    write_csv(folder / "corpus.csv", corpus, "_id,text")
    write_csv(folder / "queries.csv", queries, "_id,text")
    return write_csv(folder / "qrels.csv", judged, "query-id,corpus-id,score").parent


def test_one_document_is_no_ranking(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"corpus.csv' has 1 document; a ranking needs two"):
        read_retrieval(write(tmp_path, corpus=CORPUS[:1]))


def test_an_empty_corpus_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"corpus.csv'"):
        read_retrieval(write(tmp_path, corpus=[]))


@pytest.mark.parametrize("name", ["corpus", "queries"])
def test_an_id_names_one_row(tmp_path: Path, name: str) -> None:
    rows: dict[str, Any] = {"corpus": [*CORPUS, (2, "z")], "queries": [*QUERIES, (8, "z")]}
    with pytest.raises(DataError, match=f"{name}.csv' has the id '[28]' twice"):
        read_retrieval(write(tmp_path, **{name: rows[name]}))


def test_no_query_has_a_relevant_document(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no relevant document for any query"):
        read_retrieval(write(tmp_path, judged=[(7, 1, 0)]))


def test_queries_without_text_are_counted(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "queries.csv").unlink()
    write_json_lines(tmp_path / "queries.jsonl", [{"_id": 7, "text": None}, {"_id": 8, "text": "more"}])
    found = read_retrieval(tmp_path)
    assert found is not None and found.queries == ["more"] and found.relevance.tolist() == [[0, 1]]
    assert "1 of 2 queries have no relevant document, or no text" in found.notes[0]
