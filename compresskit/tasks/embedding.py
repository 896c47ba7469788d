"""One vector a text: no labels, the dense model's own vectors are what a compressed one is to give."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from compresskit.data.conventions import TEXT_PAIRS, TEXTS, first_present
from compresskit.data.fingerprint import values_fingerprint
from compresskit.data.plain_text import load_texts
from compresskit.data.sources import Source
from compresskit.data.table import Table
from compresskit.errors import ConfigurationError, DataError, one_of
from compresskit.inputs import Row
from compresskit.tasks.agreement import LEAST, METRICS, NEIGHBOURS, agreement, nearest
from compresskit.tasks.base import Reading, TaskKind
from compresskit.tasks.encoding import USUAL_LENGTH, encode, encode_texts
from compresskit.tasks.examples import Array, DataOptions, Encoded, Examples
from compresskit.tasks.judges import read_pairs, read_search
from compresskit.tasks.sentence import Sentence
from compresskit.tasks.wording import OTHER, SLIGHT, WORSE, Wording

MOST_TESTED = 2_000  # agreement is known to 0.001 by then
_PROSE = 3  # words of the median text, from which a column of text is no name or id


@dataclass(frozen=True)
class Embedding(TaskKind):
    """`Examples.labels` are the dense model's vectors (rows, width), 0 until it was asked.

    `sentence`: how vectors are made, see `Sentence`; manifests keep it.
    """

    name = "embedding"
    hub_task = "feature-extraction"
    metrics = METRICS
    is_regression = True
    is_vector = True
    has_head = False
    most_tested = MOST_TESTED
    wording = Wording(
        right="A text has changed where its 10 nearest texts are not all the same.",
        levels=(
            (0.8, "8 or 9 of 10 kept", SLIGHT),
            (0.5, "5 to 7 of 10 kept", OTHER),
            (0.0, "0 to 4 of 10 kept", WORSE),
        ),
    )

    sentence: Sentence = field(default_factory=Sentence)

    def __post_init__(self) -> None:
        if isinstance(self.sentence, Mapping):  # of a manifest
            object.__setattr__(self, "sentence", Sentence(**self.sentence))

    @property
    def is_taught(self) -> bool:
        return True

    def to_json(self) -> dict[str, Any]:
        return {"name": self.name, "sentence": self.sentence.to_json()}

    # Reading

    @classmethod
    def load(cls, dataset: str | Path) -> Source:
        """As for any task, and files of plain text, whose every line is a text."""
        return load_texts(dataset)

    @classmethod
    def read(cls, source: Source, options: DataOptions) -> Reading:
        metric = options.metric or cls.metrics[0]
        if metric not in cls.metrics:
            raise ConfigurationError(one_of("metric of vectors", metric, cls.metrics))
        if options.sentence is None:
            raise ConfigurationError(
                "the model has no modules.json that says how vectors are made of its tokens; say it with "
                "--pooling, such as mean or cls."
            )
        options.sentence.check()
        table = source.splits["train"]
        columns = _columns(table, options.text_columns)
        notes = []
        tested = source.splits.get("test") or source.splits.get("validation")
        train = _texts("train", table, columns)
        test = None if tested is None else _texts("test", tested, _columns(tested, columns))
        for split, texts, given in (("train", train, table), ("test", test, tested)):
            if texts is not None and given is not None:
                notes.append(
                    f"{len(texts):,} different texts in {given.num_rows:,} rows of the {split} split"
                )
        kind = cls((), metric, options.sentence)
        return Reading(
            kind,
            kind._examples(train),
            None if test is None else kind._examples(test),
            len(train),
            columns[:1],
            "",
            tuple(notes),
            values_fingerprint(
                (split, [(text,) for text in texts])
                for split, texts in (("train", train), ("test", test))
                if texts is not None
            ),
        )

    @classmethod
    def is_labelled(cls, table: Table, options: DataOptions, train: Callable[[], Table | None]) -> bool:
        return True

    def read_test(self, table: Table, split: str, source: str, options: DataOptions) -> Examples:
        return read_pairs(table, split, source, options)

    @classmethod
    def read_folder(cls, folder: Path) -> Examples | None:
        return read_search(folder)

    @classmethod
    def scored_by(cls) -> str:
        return (
            "Vectors are scored by a file of pairs, with columns such as sentence1, sentence2 and score, or "
            "by a folder with corpus.*, queries.* and qrels.*."
        )

    def _examples(self, texts: Sequence[str]) -> Examples:
        rows: list[tuple[str, ...]] = [(text,) for text in texts]
        return Examples(rows, np.zeros((len(rows), 0), dtype=np.float32), rows)

    # Encoding

    def usual_length(self, tokenizer: Any) -> int:
        return self.sentence.max_length or USUAL_LENGTH

    def encode(self, inputs: Sequence[Any], tokenizer: Any, max_length: int) -> Encoded:
        prompt = self.sentence.prompt
        return encode([(prompt + text,) for (text,) in inputs], tokenizer, max_length)

    def encode_served(self, inputs: Sequence[Any], tokenizer: Any, *, segments: bool) -> list[Row]:
        if not isinstance(inputs, str):
            inputs = [self.sentence.prompt + _only(each) for each in inputs]
        return encode_texts(tokenizer, inputs, segments=segments)

    # Learning

    def configure(self, config: Any) -> None:
        config.compresskit_pooling = {  # an engine of ours has `dims` there
            **getattr(config, "compresskit_pooling", {}),
            "pooling": self.sentence.pooling,
            "normalize": self.sentence.normalize,
        }

    # Judging

    def answers(self, predictions: Array) -> Array:
        if not np.isfinite(predictions).all():
            agreement(self.metric_name, predictions, predictions)  # says so
        return predictions.astype(np.float32)

    def score_answers(self, answers: Array, labels: Array) -> float:
        return float(agreement(self.metric_name, answers, labels).mean())

    def weighted(self, answers: Array, labels: Array, counts: npt.NDArray[np.float64]) -> Array:
        """A text is compared with the same others in every sample."""
        found = agreement(self.metric_name, answers, labels)
        return np.asarray(counts @ found / counts.sum(1))

    def prior(self, train_labels: Array, labels: Array) -> float:
        """Of the mean vector for every text, which has no order: its cosine, else 0."""
        mean = np.broadcast_to(labels.mean(0), labels.shape)
        return self.score_answers(mean, labels) if self.metric_name == "cosine" else 0.0

    def strata(self, labels: Array) -> npt.NDArray[np.int64]:
        return np.zeros(len(labels), dtype=np.int64)

    def absent(self, name: str, labels: Array) -> str | None:
        """DataError where so few texts score that every model agrees with every other."""
        if name != "training" and len(labels) < LEAST[self.metric_name]:
            raise DataError(
                f"the {name} split has {len(labels)} texts, of which {self.metric_name} tells nothing: it "
                f"takes {LEAST[self.metric_name]} or more, a tenth of all. Give more texts."
            )
        return None

    def resolution(self, rows: int) -> str:
        return f"an agreement of {rows} texts, each compared with the others, rests on few comparisons"

    def correctness(self, answers: Array, labels: Array) -> npt.NDArray[np.float64]:
        return agreement(NEIGHBOURS, answers, labels)

    def worded(self, unit: int, answers: Array, inputs: Sequence[Any]) -> tuple[str, Sequence[str]]:
        """A text, and those that are nearest to it, the nearest first."""
        return inputs[unit][0], [inputs[other][0] for other in nearest(answers, unit)]

    # Serving

    def files(self, width: int, max_length: int | None) -> Mapping[str, Any]:
        return self.sentence.files(width, max_length)


def _columns(table: Table, given: Sequence[str]) -> tuple[str, ...]:
    """Columns of texts: those named, else known ones, else each that holds prose."""
    if absent := [name for name in given if name not in table.columns]:
        raise DataError(f"column {absent[0]!r} is missing; columns present: {', '.join(table.names)}.")
    if given:
        found = tuple(given)
    else:
        for pair in TEXT_PAIRS:
            both = tuple(first_present(table.names, (name,)) or "" for name in pair)
            if all(both):
                return both
        known = first_present(table.names, TEXTS)
        found = (known,) if known else tuple(name for name in table.names if _is_prose(table, name))
    if not found or not all(table.is_text(name) for name in found):
        raise DataError(
            f"no column of texts; columns present: {table.described()}. Name one with --text-column."
        )
    return found


def _is_prose(table: Table, name: str) -> bool:
    texts = [text for text in table.columns[name][:1000] if text] if table.kind(name) == "text" else []
    return bool(texts) and float(np.median([len(text.split()) for text in texts])) >= _PROSE


def _texts(split: str, table: Table, columns: Sequence[str]) -> list[str]:
    """Different texts of all columns, in order."""
    values = (table.columns[name][row] for row in range(table.num_rows) for name in columns)
    found = list(dict.fromkeys(text for text in values if text and not text.isspace()))
    if not found:
        raise DataError(f"the {split} split has no text in {', '.join(columns)}.")
    return found


def _only(text: Any) -> Any:
    if isinstance(text, list | tuple) and len(text) == 1:
        text = text[0]
    if not isinstance(text, str):
        raise DataError(f"an input is {text!r:.60}; permitted: a text.")
    return text


TASK = Embedding
