"""Sets that judge vectors beside agreement, as `--judge` names them: read before anything is trained."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from compresskit.data.fingerprint import values_fingerprint
from compresskit.errors import DataError
from compresskit.pipeline.benching.data import labelled_table
from compresskit.tasks.base import TaskKind
from compresskit.tasks.examples import DataOptions, Examples
from compresskit.tasks.task import JudgeSet, Split, Task


def with_judges(task: Task, paths: Sequence[str | Path], tokenizer: Any) -> Task:
    """`task` with the judges in `paths`, by the name of the file or folder, and notes on them.

    DataError names the judge.
    """
    judges, notes = {}, list(task.notes)
    given = list(dict.fromkeys(map(str, paths)))
    names = [Path(path).stem for path in given]
    for path, stem in zip(given, names, strict=True):
        name = stem if names.count(stem) == 1 else path
        found = _read(path, task.kind)
        assert found.judge is not None
        encoded = task.kind.encode([(text,) for text in found.inputs], tokenizer, task.max_length)
        split = Split(found.texts, found.labels, encoded.rows, found.inputs)
        values = [found.inputs, [str(label) for label in found.labels.ravel()]]
        judges[name] = JudgeSet(found.judge, split, values_fingerprint([(name, values)]))
        notes.append(f"judge {name}: {found.judge.metric_name} of {len(found.labels):,} rows")
        notes += [f"judge {name}: {note}" for note in found.notes]
        if encoded.num_cut:
            notes.append(
                f"judge {name}: {encoded.num_cut:,} of {len(encoded.rows):,} texts were cut to "
                f"{task.max_length} tokens"
            )
    return replace(task, judges=judges, notes=notes)


def _read(path: str, kind: TaskKind) -> Examples:
    folder = Path(path).expanduser()
    try:
        if (found := kind.read_folder(folder)) is not None:
            return found
        table = labelled_table(folder, type(kind), DataOptions())
        return kind.read_test(table.table, table.split, str(table.source), DataOptions())
    except DataError as error:
        raise DataError(f"judge {path!r}: {error} {kind.scored_by()}") from None
