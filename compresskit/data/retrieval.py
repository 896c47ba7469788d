"""Retrieval sets: documents, queries, and which documents are relevant to which query (BEIR's layout).

Files corpus.*, queries.* and qrels.* (or qrels/test.*) with the columns of BEIR (Thakur et al. 2021, arXiv
2104.08663), or id, query_id and doc_id.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from compresskit.data.conventions import data_files, first_present
from compresskit.data.files import READERS, read_table
from compresskit.data.label_values import label_number
from compresskit.data.table import Table
from compresskit.errors import DataError

_ID, _QUERY, _DOCUMENT = ("_id", "id"), ("query-id", "query_id", "qid"), ("corpus-id", "doc_id", "corpus_id")
_SCORE = ("score", "relevance", "label")


@dataclass(frozen=True, eq=False)
class Retrieval:
    """`relevance`: (queries, documents), 0 where nothing is said. `notes`: what was left out."""

    queries: list[str]
    documents: list[str]
    relevance: npt.NDArray[np.float64]
    notes: tuple[str, ...]


def read_retrieval(folder: Path) -> Retrieval | None:
    """None for a folder of another layout. DataError for a part that is missing, or ids that fit nothing."""
    files = data_files(folder, READERS) if folder.is_dir() else []
    corpus, queries = (_named(files, name) for name in ("corpus", "queries"))
    if corpus is None or queries is None:
        return None
    splits = sorted((f for f in files if f.parts[-2:-1] == ("qrels",)), key=lambda f: f.stem != "test")
    judged = _named(files, "qrels") or next(iter(splits), None)
    if judged is None:
        raise DataError(
            f"folder {str(folder)!r} has corpus and queries, but no qrels.* that say what is relevant."
        )
    documents, asked, said = (read_table([file]) for file in (corpus, queries, judged))
    places = _places(documents, str(corpus))
    wanted = _places(asked, str(queries))
    if len(places) < 2:
        raise DataError(
            f"{str(corpus)!r} has {len(places)} document{'s' * (len(places) != 1)}; a ranking needs two."
        )
    relevance = np.zeros((len(wanted), len(places)))
    unknown = 0
    for query, document, score in zip(
        _column(said, _QUERY, "qrels"),
        _column(said, _DOCUMENT, "qrels"),
        _column(said, _SCORE, "qrels"),
        strict=True,
    ):
        number = None if score is None else label_number(score)
        if number is None:
            raise DataError(f"{str(judged)!r}: relevance {score!r} of query {query!r} is not a number.")
        if str(query) in wanted and str(document) in places:
            relevance[wanted[str(query)], places[str(document)]] = max(number, 0)
        else:
            unknown += 1
    texts = [str(text or "").strip() for text in _column(asked, ("text", "query"), "queries")]
    kept = np.flatnonzero((relevance.max(1) > 0) & np.array([text != "" for text in texts], dtype=np.bool_))
    if not len(kept):
        raise DataError(f"{str(judged)!r} names no relevant document for any query of {queries.name}.")
    notes = []
    if unknown:
        notes.append(f"{unknown:,} judgements name a query or document that is not there and were left out")
    if len(kept) < len(wanted):
        notes.append(
            f"{len(wanted) - len(kept):,} of {len(wanted):,} queries have no relevant document, or no text, "
            "and were left out"
        )
    return Retrieval([texts[i] for i in kept], _documents(documents), relevance[kept], tuple(notes))


def _documents(table: Table) -> list[str]:
    """Title and text, as BEIR joins them; a text that begins with its title has it already."""
    texts = [str(text or "") for text in _column(table, ("text", "passage"), "corpus")]
    name = first_present(table.names, ("title",))
    titles = [str(title or "") for title in table.columns[name]] if name else [""] * len(texts)
    return [
        text if text.startswith(title) else f"{title} {text}"
        for title, text in zip(titles, texts, strict=True)
    ]


def _places(table: Table, file: str) -> dict[str, int]:
    found: dict[str, int] = {}
    for place, each in enumerate(_column(table, _ID, repr(file))):
        if found.setdefault(str(each), place) != place:
            raise DataError(f"{file!r} has the id {str(each)!r} twice; ids name one row each.")
    return found


def _column(table: Table, names: Sequence[str], file: str) -> Sequence[Any]:
    found = first_present(table.names, names)
    if found is None:
        raise DataError(
            f"{file} has no column {' or '.join(names)}; columns present: {', '.join(table.names)}."
        )
    return table.columns[found]


def _named(files: Sequence[Path], stem: str) -> Path | None:
    return next((file for file in files if file.stem == stem), None)
