"""What a task is: everything about rows. One task is one file of this folder, with `TASK`, its class.

Nobody else knows which inputs a row has, what labels look like, or which shape logits have. Only numpy is
needed: the same object serves training, search, the engine and `bench` on a device.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt

from compresskit.data.sources import Source, load_source
from compresskit.data.table import Table
from compresskit.inputs import TOKEN_IDS, Row
from compresskit.tasks.encoding import USUAL_LENGTH
from compresskit.tasks.examples import Array, DataOptions, Encoded, Examples
from compresskit.tasks.judge import Judge
from compresskit.tasks.wording import Wording

if TYPE_CHECKING:
    from typing import Self  # in Python 3.11 and later


@dataclass(frozen=True, eq=False)
class Reading:
    """A data set as read: the task with its labels, the rows that train and those that test.

    `test` is None where the test set is to be cut from `train`. `num_rows`: of the training split, incomplete
    rows included. `columns`: that hold inputs. `fingerprint`: SHA-256 of the rows.
    """

    kind: TaskKind
    train: Examples
    test: Examples | None
    num_rows: int
    columns: tuple[str, ...]
    label_column: str
    notes: tuple[str, ...]
    fingerprint: str


@dataclass(frozen=True)
class TaskKind(Judge):
    """A task with its labels: `labels` are names by class id, none where answers are numbers.

    A task may have further fields, with defaults, which manifests keep. `name` stands in `--task` and in
    manifests, `hub_task` is the Hugging Face hub's name, which tells the transformers class, `problem_types`
    are transformers' of the heads that it keeps, `metrics` are those permitted, the default first. Where
    `is_vector` a model gives vectors of texts, and where it has no head (`has_head`) any encoder is whole.
    Where `is_ranking` logits order the rows of a query. Where `has_layout` tables are told by columns that no
    other task has. `axes`: of each input of a row, of which the last counts tokens, those before it texts.
    `reads`: the first input of its models. `num_texts`: that are read together as one; None: as many as there
    are columns of text. `most_tested`: rows of validation and of test, of which no more are needed.
    `example`: an input in Python, for model cards. `wording`: of what changed in answers.
    """

    name: ClassVar[str]
    hub_task: ClassVar[str]
    metrics: ClassVar[tuple[str, ...]]
    problem_types: ClassVar[tuple[str | None, ...]] = (None, "single_label_classification", "regression")
    has_head: ClassVar[bool] = True
    is_ranking: ClassVar[bool] = False
    reads: ClassVar[str] = TOKEN_IDS
    has_layout: ClassVar[bool] = False
    axes: ClassVar[tuple[str, ...]] = ("length",)
    num_texts: ClassVar[int | None] = None
    most_tested: ClassVar[int | None] = None
    example: ClassVar[str] = '"some text"'
    wording: ClassVar[Wording] = Wording()

    @property
    def is_taught(self) -> bool:
        """Whether labels are what the dense model answers, so that nothing but a teacher teaches."""
        return False

    @property
    def is_chosen(self) -> bool:
        """Whether `fitted` chooses something on validation rows."""
        return type(self).fitted is not TaskKind.fitted

    @property
    def num_labels(self) -> int:
        """Outputs of the model's head, at each position that has any."""
        return len(self.labels)

    @property
    def request_sizes(self) -> Mapping[str, int]:
        """Of a request as the data have it, by the fields of a `Profile`, which may leave them out."""
        return {}

    def to_json(self) -> dict[str, Any]:
        """The name, and the fields that are this task's own, as a manifest has them."""
        own = {item.name for item in fields(self)} - {item.name for item in fields(TaskKind)}
        return {"name": self.name, **{name: getattr(self, name) for name in sorted(own)}}

    @classmethod
    def head(cls, options: DataOptions) -> Mapping[str, int] | None:
        """Output of each label of a checkpoint's head, where it has one for this task."""
        return options.label2id if cls.keeps_head(options.head_task, options.head_problem) else None

    @classmethod
    def keeps_head(cls, head_task: str | None, problem: str | None) -> bool:
        """Whether a head for this task of the hub, and of this problem type, serves it."""
        return head_task in (None, cls.hub_task) and problem in cls.problem_types

    @classmethod
    def fits(cls, table: Table, options: DataOptions) -> bool:
        """Whether a training table is clearly of this task, where the user names none."""
        return False

    @classmethod
    def load(cls, dataset: str | Path) -> Source:
        """The splits of a data set as they came. DataError where none is found."""
        return load_source(dataset)

    @classmethod
    @abstractmethod
    def read(cls, source: Source, options: DataOptions) -> Reading:
        """The rows of all splits. DataError names rows and columns, ConfigurationError options."""

    @classmethod
    def is_labelled(cls, table: Table, options: DataOptions, train: Callable[[], Table | None]) -> bool:
        """Whether a split other than training has labels; `train()`: the training split, if any."""
        return True

    @abstractmethod
    def read_test(self, table: Table, split: str, source: str, options: DataOptions) -> Examples:
        """Rows for an engine of this task; DataError for labels that it does not know.

        `split` and `source` name it in messages.
        """

    @classmethod
    def read_folder(cls, folder: Path) -> Examples | None:
        """Rows for an engine of a folder that is no table of rows; None where it is."""
        return None

    @classmethod
    def scored_by(cls) -> str:
        """Which data an engine is scored by, where that is other data than a search reads; "" elsewhere."""
        return ""

    def usual_length(self, tokenizer: Any) -> int:
        """Tokens of a row where the user names no length; at most as many as the model takes are used."""
        return USUAL_LENGTH

    @abstractmethod
    def encode(self, inputs: Sequence[Any], tokenizer: Any, max_length: int) -> Encoded:
        """Rows of `Examples.inputs` by a transformers tokenizer, of at most `max_length` tokens each.

        Of an input that takes several rows each is a `PART`. `tokenizer` is what `reads` asks for.
        """

    def read_texts(
        self, texts: Sequence[tuple[str, ...]], inputs: Sequence[Any]
    ) -> Sequence[tuple[str, ...]]:
        """All text of `Examples.inputs`; by default their `texts`."""
        return texts

    @abstractmethod
    def encode_served(self, inputs: Sequence[Any], tokenizer: Any, *, segments: bool) -> list[Row]:
        """The same rows by the `tokenizers.Tokenizer` of an engine; `inputs` may be raw text too.

        A row may hold more than the graph's inputs: what `predictions` and `decode` need of it.
        DataError for the first input that is neither.
        """

    def targets(self, rows: Sequence[Row], labels: Array, width: int) -> Array:
        """What a batch of encoded rows, padded to `width`, is trained on: (batch,), or (batch, width) with
        `IGNORED` where a position has no label. `labels`: those of `Examples` for these rows' inputs."""
        return labels

    def configure(self, config: Any) -> None:
        """Set up a transformers configuration for a new head."""
        config.num_labels = self.num_labels
        config.problem_type = "regression" if self.is_regression else None
        if self.labels:
            config.id2label = dict(enumerate(self.labels))
            config.label2id = {name: i for i, name in enumerate(self.labels)}

    def first_bias(self, labels: Array) -> Array | None:
        """(outputs,) of a new head before training on rows with `labels`; None: as the library draws it."""
        return None

    def compared(self, said: Any, targets: Any) -> tuple[Any, Any]:
        """What loss and teacher look at: (positions, labels) logits and (positions,) targets of a batch.

        `said`: (batch, ...) of the model, see `compresskit.outputs`. Of positions that count alone, in the
        rows' order. Cross-entropy and the KL divergence to the teacher follow, mean squared errors where
        `is_regression`, distances where `is_vector`.
        """
        return said, targets

    def fitted(self, predictions: Array, labels: Array) -> Self:
        """This task for the model that says `predictions` of validation rows with `labels`.

        Something of it may be chosen on them, such as thresholds; manifests keep it.
        """
        return self

    @abstractmethod
    def strata(self, labels: Array) -> npt.NDArray[np.int64]:
        """(rows,) numbers from 0; splits and samples mix these as all rows do."""

    def correctness(self, answers: Array, labels: Array) -> npt.NDArray[np.float64]:
        """(units,) how right answers are, up to 1; units are rows, or queries in order of their numbers."""
        return np.asarray((answers == labels).reshape(len(labels), -1).all(1), dtype=np.float64)

    def groups(self, answers: Array, labels: Array) -> Mapping[str, tuple[float, int]]:
        """F1 of each class, entity type or the like, where there are any, and how often `labels` hold it."""
        return {}

    @abstractmethod
    def worded(self, unit: int, answers: Array, inputs: Sequence[Any]) -> tuple[str, Sequence[str]]:
        """A unit of `Examples.inputs`, and lines that say what `answers`, or labels, are to it."""

    def class_pairs(self, answers: Array, labels: Array) -> tuple[Array, Array] | None:
        """(n,) class ids said and true, one by one; None where answers are no classes."""
        return None

    def describe(self, labels: Array) -> str:
        """Labels in words, of a task without names."""
        return f"numbers from {labels.min():g} to {labels.max():g}" if labels.size else "none are needed"

    def counts(self, labels: Array) -> Array:
        """(classes,) how often `labels` hold each. Not asked of a task without names."""
        return np.bincount(labels[labels >= 0].reshape(-1), minlength=len(self.labels))

    def absent(self, name: str, labels: Array) -> str | None:
        """Which classes have no row in split `name`, for the user; None where all have."""
        return None

    @abstractmethod
    def resolution(self, rows: int) -> str:
        """How well so few rows know the metric, for the user."""

    def decode(self, predictions: Array, rows: Sequence[Row], inputs: Sequence[Any]) -> Any:
        """What an engine's `predict` gives for `inputs`, encoded as `rows`: by default the logits."""
        return predictions

    def files(self, width: int, max_length: int | None) -> Mapping[str, Any]:
        """JSON files that others look for in an engine's folder, by path; `width`: of hidden states."""
        return {}
