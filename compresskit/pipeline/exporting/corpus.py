"""The texts that an export needs, as the tokenizer that it ships encodes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from compresskit.engine.vocabulary import TrimmedVocabulary
from compresskit.inputs import Row
from compresskit.tasks.task import Split, Task

CALIBRATION_ROWS = 128


@dataclass(frozen=True, eq=False)
class Corpus:
    """`calibration`: training rows for the ranges of static int8. The engine itself reads test texts.

    `is_trimmed`: whether the rows are those of a smaller vocabulary.
    """

    task: Task
    calibration: Sequence[Row]
    validation: Split
    is_trimmed: bool = False

    @classmethod
    def of(cls, task: Task, words: TrimmedVocabulary | None, *, seed: int) -> Corpus:
        """Rows of `task`, renumbered under a smaller vocabulary `words`."""
        rows = task.train.encoded
        count = min(CALIBRATION_ROWS, len(rows))
        drawn = np.random.default_rng(seed).choice(len(rows), count, replace=False)
        calibration = [rows[int(i)] for i in drawn]
        if words is None:
            return cls(task, calibration, task.validation)
        validation = replace(task.validation, encoded=words.renumber(task.validation.encoded))
        return cls(task, words.renumber(calibration), validation, is_trimmed=True)
