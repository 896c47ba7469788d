"""What one row of a task is for a graph: names, dtypes, axes and padding of its inputs. numpy only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from compresskit.field_types import wrong_kind

Row = Mapping[str, Any]
Feed = dict[str, npt.NDArray[Any]]
# Inputs of graphs of text encoders; positions are counted in every row, where a graph takes them.
TOKEN_IDS, PADDING_MASK, SEGMENT_IDS, POSITIONS = (
    *("input_ids", "attention_mask", "token_type_ids", "position_ids"),
)
PIXELS = "pixel_values"
PART = "part"
"""Of a row that is one of several of its input, such as a window: which of them, from 0, and their number."""


@dataclass(frozen=True)
class Input:
    """`axes`: of one row, by name; what is shorter than its batch is filled with `padding` at the end.

    A row of two axes or more is an array, or lists of lists, whose inner ones may be of unequal length.

    `default`: what a row without this input has in every place, such as the 1 of a mask; None: each has it.
    """

    name: str
    padding: int = 0
    default: int | None = None
    dtype: str = "int64"
    axes: tuple[str, ...] = ("length",)


@dataclass(frozen=True)
class InputSpec:
    """All inputs of a task. The first one is in every row and tells how long the row is.

    `mask`: name of the input that is 1 where the row has something and 0 where it is padded; None: there
    is no such input.
    """

    inputs: tuple[Input, ...]
    mask: str | None = None

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(item.name for item in self.inputs)

    @property
    def is_light(self) -> bool:
        """Whether rows are small enough to be sent to a device: images, which have no mask, are not."""
        return self.mask is not None or self.names[0] != PIXELS

    def along(self, axes: tuple[str, ...]) -> InputSpec:
        """These inputs with these axes of a row each."""
        return replace(self, inputs=tuple(replace(item, axes=axes) for item in self.inputs))

    def length(self, row: Row) -> int:
        """Of a row's axis of that name, else of its first: tokens, of its longest text, or frames."""
        first = self.inputs[0]
        return _shape(row[first.name], len(first.axes))[_along_length(first)]

    def flat(self, row: Row) -> list[Any]:
        """All that the first input of a row holds, one by one: its tokens."""
        first = self.inputs[0]
        values = [row[first.name]]
        for _ in first.axes:
            values = [each for value in values for each in value]
        return values

    def lengths(self, rows: Iterable[Row]) -> npt.NDArray[np.int64]:
        """(rows,) of each."""
        return np.asarray([self.length(row) for row in rows], dtype=np.int64)

    def batch(
        self, rows: Sequence[Row], names: Iterable[str] | None = None, *, length: int | None = None
    ) -> Feed:
        """Inputs of shape (rows, *axes), padded at the end of each axis to the longest row, or to `length`.

        `length` is that of the axis by which `length` counts.

        `names`: of those inputs alone; of names that are not of this task positions are counted, others are
        0 everywhere. A text of no tokens is read as one of padding, since no model reads nothing: the mask
        counts it. Raises ValueError when a row is longer than `length`.
        """
        longest = max(map(self.length, rows))
        if length is not None and longest > length:
            raise ValueError(f"a row of {longest} does not fit a batch of length {length}")
        known, first = {item.name: item for item in self.inputs}, self.inputs[0]
        given = self.names if names is None else names
        feed = {
            name: _stacked(known.get(name, Input(name, default=0, axes=first.axes)), rows, first.name, length)
            for name in given
        }
        if POSITIONS in feed and POSITIONS not in known:
            feed[POSITIONS][:] = np.arange(feed[POSITIONS].shape[-1])
        if self.mask in feed and feed[self.mask].ndim == 2:  # of several texts a row, some may be absent
            mask = feed[self.mask]
            mask[:, 0] |= ~mask.any(-1)
        return feed

    def real(self, batch: Mapping[str, Any]) -> Any:
        """The mask of a batch, (texts, length), as an encoder reads its rows: 1 where there is something.

        Raises ValueError where the task has none.
        """
        if self.mask is None:
            raise ValueError(f"inputs {', '.join(self.names)} have no mask")
        mask = batch[self.mask]
        return mask.reshape(-1, mask.shape[-1])

    def to_json(self) -> dict[str, Any]:
        return {"inputs": [{**asdict(item), "axes": list(item.axes)} for item in self.inputs]} | {
            "mask": self.mask
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> InputSpec:
        """What `to_json` wrote; raises KeyError, TypeError or ValueError for anything else."""
        found = cls(tuple(_input(item) for item in value["inputs"]), value["mask"])
        if not found.inputs or found.inputs[0].default is not None:
            raise ValueError("inputs need a first one that is in every row")
        if found.mask not in (None, *found.names):
            raise ValueError(f"mask {found.mask!r} is none of the inputs")
        return found


def _input(value: Mapping[str, Any]) -> Input:
    fields = {**value, "axes": tuple(value["axes"])}
    if wrong := wrong_kind(Input, fields):
        raise ValueError(wrong)
    np.full(1, value["padding"], value["dtype"])  # TypeError where there is no such type
    return Input(**fields)


def in_order(
    parts: Sequence[npt.NDArray[Any]],
    order: Sequence[int] | npt.NDArray[np.int64],
    lengths: Sequence[int] | npt.NDArray[np.int64],
) -> npt.NDArray[np.float32]:
    """Outputs of batches as one array (rows, ...); `order` says which row is where in them.

    With three axes or more the second is the length of a row: behind each row's own there is 0.
    """
    shape = [max(sizes) for sizes in zip(*(part.shape[1:] for part in parts), strict=True)]
    found = np.zeros((len(order), *shape), dtype=np.float32)
    for row, value in zip(order, (value for part in parts for value in part), strict=True):
        value = value[: lengths[row]] if value.ndim > 1 else value
        found[(row, *map(slice, value.shape))] = value
    return found


def origins(rows: Sequence[Row]) -> npt.NDArray[np.int64]:
    """(rows,) the number of the input that each row is of, or is a `PART` of."""
    begins = np.asarray([PART not in row or row[PART][0] == 0 for row in rows], dtype=np.int64)
    return np.cumsum(begins) - 1


def text_inputs(names: Iterable[str], pad_id: int) -> InputSpec:
    """Those of an encoder of text whose graph has inputs `names`; token ids are padded with `pad_id`."""
    known = (
        Input(TOKEN_IDS, pad_id),
        Input(PADDING_MASK, default=1),
        Input(SEGMENT_IDS, default=0),
    )
    given = set(names)
    mask = PADDING_MASK if PADDING_MASK in given else None
    return InputSpec(tuple(item for item in known if item.name in given), mask)


IMAGES = InputSpec((Input(PIXELS, dtype="float32", axes=("channels", "height", "width")),))
"""Of images of one size."""

TEXT = text_inputs((TOKEN_IDS, PADDING_MASK, SEGMENT_IDS), 0)
"""Of a text whose padding has id 0."""


def _stacked(item: Input, rows: Sequence[Row], first: str, length: int | None) -> npt.NDArray[Any]:
    depth = len(item.axes)
    sizes = [_shape(row[item.name if item.name in row else first], depth) for row in rows]
    shape = [max(1, *each) for each in zip(*sizes, strict=True)]
    if length is not None:
        shape[_along_length(item)] = length
    found = np.full((len(rows), *shape), item.padding, item.dtype)
    for place, row in zip(found, rows, strict=True):
        if item.name in row:
            _fill(place, row[item.name])
        else:
            _fill(place, row[first], item.default)
    return found


def _along_length(item: Input) -> int:
    return item.axes.index("length") if "length" in item.axes else 0


def _shape(value: Any, depth: int) -> tuple[int, ...]:
    """Of an array, or of lists of lists as it is once their inner ones are padded."""
    if isinstance(value, np.ndarray):
        return tuple(value.shape)
    if depth == 1 or not len(value):
        return (len(value), *[0] * (depth - 1))
    inner = [_shape(each, depth - 1) for each in value]
    return (len(value), *map(max, zip(*inner, strict=True)))


def _fill(place: npt.NDArray[Any], value: Any, default: int | None = None) -> None:
    """Put `value`, or `default` wherever it has something, at the beginning of each axis of `place`."""
    if isinstance(value, np.ndarray):
        place[tuple(map(slice, value.shape))] = value if default is None else default
    elif place.ndim == 1:
        place[: len(value)] = value if default is None else default
    else:
        for inner, each in zip(place, value, strict=False):
            _fill(inner, each, default)
