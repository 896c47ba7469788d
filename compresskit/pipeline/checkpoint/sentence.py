"""The files in which a checkpoint of sentence-transformers says how it makes vectors."""

from __future__ import annotations

from pathlib import Path

from transformers.utils import cached_file

from compresskit.tasks.sentence import MODEL, MODULES, TRANSFORMER, Sentence, pooling_file, read_sentence


def sentence_of(source: str) -> Sentence | None:
    """Of a folder or a hub id; None for a plain encoder."""
    modules = _text(source, MODULES)
    if modules is None:
        return None
    names = (pooling_file(modules), TRANSFORMER, MODEL)
    found = {name: text for name in names if (text := _text(source, name)) is not None}
    return read_sentence({MODULES: modules, **found})


def _text(source: str, name: str) -> str | None:
    path = cached_file(
        source,
        name,
        _raise_exceptions_for_missing_entries=False,
        _raise_exceptions_for_connection_errors=False,
    )
    return None if path is None else Path(path).read_text(encoding="utf-8", errors="replace")
