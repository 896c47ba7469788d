"""The texts that an export needs, as the tokenizer that it ships encodes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from compresskit.bundle.batching import InputRow
from compresskit.engine.vocabulary import TrimmedVocabulary
from compresskit.tasks.task import Split, Task

CALIBRATION_ROWS = 128


@dataclass(frozen=True, eq=False)
class Corpus:
    """`calibration`: training rows for the ranges of static int8; `test` belongs to `task.test.labels`."""

    task: Task
    calibration: Sequence[InputRow]
    validation: Split
    test: Sequence[InputRow]

    @classmethod
    def of(cls, task: Task, words: TrimmedVocabulary | None, *, max_length: int, seed: int) -> Corpus:
        """Rows of `task`; under a smaller vocabulary `words`, test texts are encoded anew."""
        rows = task.train.encoded
        count = min(CALIBRATION_ROWS, len(rows))
        drawn = np.random.default_rng(seed).choice(len(rows), count, replace=False)
        calibration = [rows[int(i)] for i in drawn]
        if words is None:
            return cls(task, calibration, task.validation, task.test.encoded)
        segments = bool(rows) and "token_type_ids" in rows[0]
        return cls(
            task,
            words.renumber(calibration),
            replace(task.validation, encoded=words.renumber(task.validation.encoded)),
            words.encode(task.test.texts, max_length=max_length, segments=segments),
        )
