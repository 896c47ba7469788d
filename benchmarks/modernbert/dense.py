"""The dense models of the small benchmark: teacher, student, the student of twice the training, TF-IDF."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.dense import dense_model
from benchmarks.modernbert.student import STEPS, UNKNOWN, Lesson, drawn_student, train_student
from benchmarks.modernbert.texts import LONGEST, unlabelled_texts
from benchmarks.modernbert.tfidf import tfidf_answers
from compresskit.pipeline.inputs import read_task
from compresskit.pipeline.settings import SearchSettings
from compresskit.pipeline.training.models import load_model, open_checkpoint
from compresskit.supernet.network import SuperNetwork
from compresskit.supernet.scoring import predict
from compresskit.tasks.encoding import encode
from compresskit.tasks.intervals import Known, intervals, row_groups
from compresskit.tasks.task import Task

PROFILE = "cpu-1-thread"
TEACHER_STEPS = 700  # on 32 rows: six epochs
STUDENT, TWICE, TEACHER, TFIDF = "student", "student, twice the steps", "teacher, MiniLM-L6", "TF-IDF"
Answers = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Dense:
    """Class ids of the test rows by model; `folder` holds the student."""

    task: Task
    folder: Path
    answers: dict[str, Answers]
    facts: dict[str, Any]

    def accuracy(self, name: str) -> float:
        return float((self.answers[name] == self.task.test.labels).mean())

    def known(self, name: str, against: str) -> Known:
        """95 % intervals of a model's accuracy and of its difference to another's."""
        test = self.task.test
        (found,) = intervals(
            self.task.kind,
            test.labels,
            [self.answers[name]],
            dense=self.answers[against],
            groups=row_groups(test.texts),
        )
        return found


def dense_models(model: Path, data: Path, work: Path, seconds: float) -> Dense | None:
    """Train what is not there yet; None where `seconds` were too few, to go on in another call."""
    settings = SearchSettings(str(model), str(data / "trec6"), PROFILE)
    made = dense_model(settings, work / "teacher", TEACHER_STEPS, _say)
    checkpoint = open_checkpoint(made.folder)
    task = read_task(settings, checkpoint)
    teacher: Any = load_model(Path(made.folder)).eval()
    tfidf, chosen = tfidf_answers(task)
    answers = {TFIDF: tfidf, TEACHER: _answers(teacher, task)}
    texts = unlabelled_texts(data, [*task.test.texts, *task.validation.texts])
    encoded = list(encode(texts, checkpoint.reader, LONGEST).rows)
    facts = {"tfidf": chosen, "unlabelled_texts": len(encoded), "train_rows": len(task.train)}
    times = len(encoded) // len(task.train)  # as often one as the other
    lesson = Lesson(
        [*encoded, *list(task.train.encoded) * times],
        [*[UNKNOWN] * len(encoded), *task.train.labels.tolist() * times],
        task.inputs,
    )
    checkpoint.reader.model_input_names = ["input_ids", "attention_mask"]
    for name, steps in ((STUDENT, STEPS), (TWICE, 2 * STEPS)):
        folder = work / name.replace(", ", "-").replace(" ", "-")
        if not (folder / "config.json").exists():
            student = drawn_student(teacher, checkpoint.reader)
            state = work / f"{folder.name}.pt"
            if not train_student(student, teacher, lesson, steps, state, _say, seconds=seconds):
                return None
            checkpoint.reader.save_pretrained(folder)
            student.save_pretrained(folder)
        found = load_model(folder)
        facts[name] = {"num_params": sum(value.numel() for value in found.parameters()), "steps": steps}
        answers[name] = _answers(found, task)
    return Dense(task, work / STUDENT, answers, facts)


def _answers(model: Any, task: Task) -> Answers:
    found: Answers = predict(SuperNetwork(model), task, task.test).argmax(axis=1)
    return found


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
