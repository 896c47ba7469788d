"""What the guarded process does with real engines: logits for encoded rows, and comparisons.

Engines run in this process or in its children, so that all of them stay below its memory limit and end
with it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from compresskit.errors import TargetError
from compresskit.inputs import InputSpec, in_order
from compresskit.outputs import joined, scored
from compresskit.target.base import SessionSettings
from compresskit.target.compare import compare
from compresskit.target.decide import Limit
from compresskit.target.graph import GraphInput, read_inputs
from compresskit.target.local import resolve
from compresskit.target.profile import Profile
from compresskit.target.runner import EngineToMeasure
from compresskit.target.session import make_session, session_spec

Tokens = npt.NDArray[np.int32]
_BATCH = 32  # rows, where the graph leaves the number open
LENGTHS, COUNTS = "lengths", "counts"  # of texts in tokens; of rows in texts, where they have several


@dataclass(frozen=True)
class EncodedRows:
    """Encoded rows of unequal lengths, end to end; an input that no row has is absent from `tokens`.

    `firsts`: of each row of several texts its first one; None where a row is a text.
    """

    starts: npt.NDArray[np.int64]  # (texts + 1,)
    tokens: Mapping[str, Tokens]
    spec: InputSpec
    firsts: npt.NDArray[np.int64] | None = None  # (rows + 1,)

    @classmethod
    def read(cls, source: Path, parts: Mapping[str, Sequence[int]], spec: InputSpec) -> EncodedRows:
        """From (offset, bytes) of LENGTHS, COUNTS and each input in a file: little-endian int32.

        Raises TargetError when they do not fit each other.
        """
        data = {name: _numbers(source, *part) for name, part in parts.items()}
        lengths, counts = data.pop(LENGTHS), data.pop(COUNTS, None)
        starts = np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])
        if len(lengths) == 0 or lengths.min() < 1 or any(len(each) != starts[-1] for each in data.values()):
            raise TargetError("rows are malformed: each needs one token or more, and all parts one length.")
        if (counts is None) != (len(spec.inputs[0].axes) == 1):
            raise TargetError("rows are malformed: how many texts each has is told where they have several.")
        if counts is None:
            return cls(starts, data, spec)
        if len(counts) == 0 or counts.min() < 1 or counts.sum() != len(lengths):
            raise TargetError("rows are malformed: each needs one text or more, and all texts a row.")
        return cls(starts, data, spec, np.concatenate([[0], np.cumsum(counts, dtype=np.int64)]))

    def __len__(self) -> int:
        return len(self.starts if self.firsts is None else self.firsts) - 1

    def row(self, number: int) -> dict[str, Any]:
        if self.firsts is None:
            return self._text(number)
        texts = [self._text(i) for i in range(self.firsts[number], self.firsts[number + 1])]
        return {name: [text[name] for text in texts] for name in self.tokens}

    def length(self, row: int) -> int:
        return self.spec.length(self.row(row))

    def _text(self, number: int) -> dict[str, Tokens]:
        start, stop = self.starts[number], self.starts[number + 1]
        return {name: values[start:stop] for name, values in self.tokens.items()}

    def feed(
        self, chosen: Sequence[int], inputs: Sequence[GraphInput], size: tuple[int, int]
    ) -> dict[str, npt.NDArray[Any]]:
        """Inputs of `size` (batch, length) for the rows `chosen`, padded at the end; rows that lack are 0."""
        rows = [self.row(each) for each in chosen]
        empty: list[dict[str, Any]] = [{self.spec.names[0]: []}] * (size[0] - len(chosen))
        feed = self.spec.batch([*rows, *empty], [item.name for item in inputs], length=size[1])
        return {item.name: feed[item.name].astype(item.dtype, copy=False) for item in inputs}


def compute_logits(request: Mapping[str, Any]) -> dict[str, Any]:
    """Logits (rows, ...), float32, of an engine, in the order of the rows; written to the file `out`.

    Batches hold rows of like length and are padded to their longest, or to the graph's own fixed sizes.
    Raises TargetError for rows longer than those.
    """
    profile = Profile.from_json(request["profile"])
    path = Path(request["path"])
    rows = EncodedRows.read(Path(request["source"]), request["parts"], InputSpec.from_json(request["inputs"]))
    inputs = read_inputs(path)
    batch, length = _fixed_sizes(inputs)
    sizes = {"batch": batch or _BATCH, "length": length or 1, "shapes": "dynamic", "lengths": ()}
    texts = {} if rows.firsts is None else {"choices": int(np.diff(rows.firsts).max())}
    spec = session_spec(path, resolve(profile.with_(**sizes, **texts)), _settings(request["session"]))
    session = make_session(path, spec)
    outputs = list(scored([item.name for item in session.get_outputs()]))
    order: list[int] = []
    parts = []
    for chosen in _alike(rows, batch or _BATCH):
        longest = max(map(rows.length, chosen))
        if length is not None and longest > length:
            raise TargetError(f"a row has {longest} tokens; the engine's fixed length is {length}.")
        size = (batch or len(chosen), length or longest)
        parts.append(joined(session.run(outputs, rows.feed(chosen, inputs, size)))[: len(chosen)])
        order += chosen
    found = in_order(parts, order, [rows.length(row) for row in range(len(rows))])
    np.ascontiguousarray(found, "<f4").tofile(request["out"])
    return {"rows": len(rows), "shape": list(found.shape)}


def compare_engines(request: Mapping[str, Any]) -> dict[str, Any]:
    """`target.compare` of kept engines, as JSON."""
    engines = [
        EngineToMeasure(each["name"], Path(each["path"]), _settings(each["session"]), each["size_bytes"])
        for each in request["engines"]
    ]
    profile = Profile.from_json(request["profile"])
    limits = [Limit(each["figure"], each["value"]) for each in request["limits"]]
    found = compare(engines, profile, request["baseline"], decide=request["decide"], limits=limits)
    return {"comparison": found.to_json()}


def _settings(value: Mapping[str, Any] | None) -> SessionSettings | None:
    return None if value is None else SessionSettings.from_json(value)


def _numbers(source: Path, offset: int, size: int) -> Tokens:
    return np.fromfile(source, "<i4", count=size // 4, offset=offset)


def _fixed_sizes(inputs: Sequence[GraphInput]) -> tuple[int | None, int | None]:
    """The graph's own (batch, length); None where it leaves one open."""
    sizes: list[int | None] = []
    for axis in (0, 1):
        given = [item.shape[axis] for item in inputs if len(item.shape) == 2]
        sizes.append(next((size for size in given if isinstance(size, int)), None))
    return sizes[0], sizes[1]


def _alike(rows: EncodedRows, batch: int) -> Iterator[list[int]]:
    """Numbers of rows in batches of like length, longest first: the first batch shows the memory it takes."""
    order = sorted(range(len(rows)), key=lambda row: -rows.length(row))
    for start in range(0, len(order), batch):
        yield order[start : start + batch]
