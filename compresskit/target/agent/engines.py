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
from compresskit.target.base import SessionSettings
from compresskit.target.compare import compare
from compresskit.target.decide import Limit
from compresskit.target.graph import GraphInput, read_inputs
from compresskit.target.inputs import default_values
from compresskit.target.local import resolve
from compresskit.target.profile import Profile
from compresskit.target.runner import EngineToMeasure
from compresskit.target.session import make_session, session_spec

Tokens = npt.NDArray[np.int32]
_BATCH = 32  # rows, where the graph leaves the number open
ROW_PARTS = ("lengths", "input_ids", "token_type_ids")


@dataclass(frozen=True)
class Rows:
    """Encoded texts of unequal lengths, end to end; a part that a tokenizer does not give is absent."""

    starts: npt.NDArray[np.int64]  # (rows + 1,)
    tokens: Mapping[str, Tokens]

    @classmethod
    def read(cls, source: Path, parts: Mapping[str, Sequence[int]]) -> Rows:
        """From (offset, bytes) of each of ROW_PARTS in a file: little-endian int32.

        Raises TargetError when they do not fit each other.
        """
        data = {name: _numbers(source, *part) for name, part in parts.items()}
        lengths = data.pop("lengths")
        starts = np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])
        if len(lengths) == 0 or lengths.min() < 1 or any(len(each) != starts[-1] for each in data.values()):
            raise TargetError("rows are malformed: each needs one token or more, and all parts one length.")
        return cls(starts, data)

    def __len__(self) -> int:
        return len(self.starts) - 1

    def length(self, row: int) -> int:
        return int(self.starts[row + 1] - self.starts[row])

    def feed(
        self, chosen: Sequence[int], inputs: Sequence[GraphInput], size: tuple[int, int], pad_id: int
    ) -> dict[str, npt.NDArray[Any]]:
        """Inputs of `size` (batch, length) for the rows `chosen`, padded at the end and masked there.

        Positions are counted.
        """
        feed = {item.name: default_values(item.name, size, item.dtype) for item in inputs}
        if "input_ids" in feed:
            feed["input_ids"][:] = pad_id
        for place, row in enumerate(chosen):
            length = self.length(row)
            for name, values in self.tokens.items():
                if name in feed:
                    feed[name][place, :length] = values[self.starts[row] : self.starts[row + 1]]
            if "attention_mask" in feed:
                feed["attention_mask"][place, :length] = 1
        return feed


def compute_logits(request: Mapping[str, Any]) -> dict[str, Any]:
    """Logits (rows, labels), float32, of an engine, in the order of the rows; written to the file `out`.

    Batches hold rows of like length and are padded to their longest, or to the graph's own fixed sizes.
    Raises TargetError for rows longer than those.
    """
    profile = Profile.from_json(request["profile"])
    path = Path(request["path"])
    rows = Rows.read(Path(request["source"]), request["parts"])
    inputs = read_inputs(path)
    batch, length = _fixed_sizes(inputs)
    sizes = {"batch": batch or _BATCH, "length": length or 1, "shapes": "dynamic", "lengths": ()}
    spec = session_spec(path, resolve(profile.with_(**sizes)), _settings(request["session"]))
    session = make_session(path, spec)
    outputs = [item.name for item in session.get_outputs()]
    output = "logits" if "logits" in outputs else outputs[0]
    found: list[npt.NDArray[np.float32]] = [np.empty(0, np.float32)] * len(rows)
    for chosen in _alike(rows, batch or _BATCH):
        longest = max(map(rows.length, chosen))
        if length is not None and longest > length:
            raise TargetError(f"a row has {longest} tokens; the engine's fixed length is {length}.")
        size = (batch or len(chosen), length or longest)
        logits = session.run([output], rows.feed(chosen, inputs, size, request["pad_id"]))[0]
        for row, line in zip(chosen, logits, strict=False):
            found[row] = np.asarray(line, np.float32)
    np.ascontiguousarray(found, "<f4").tofile(request["out"])
    return {"rows": len(rows)}


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


def _alike(rows: Rows, batch: int) -> Iterator[list[int]]:
    """Numbers of rows in batches of like length, longest first: the first batch shows the memory it takes."""
    order = sorted(range(len(rows)), key=lambda row: -rows.length(row))
    for start in range(0, len(order), batch):
        yield order[start : start + batch]
