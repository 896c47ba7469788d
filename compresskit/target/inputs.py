"""What a graph is fed while it is timed: real-looking tokens, never zeros."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from compresskit.errors import TargetError
from compresskit.target.graph import GraphInput

# Where nothing says how many rows a table has: every tokenizer has more tokens than this.
_FEWEST_TOKENS = 100


@dataclass(frozen=True)
class Feed:
    """One input as it will be fed. `rows` bounds the token ids."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    rows: int | None = None

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Feed:
        return cls(value["name"], value["dtype"], tuple(value["shape"]), value["rows"])


def plan_feeds(inputs: Sequence[GraphInput], batch: int, length: int) -> list[Feed]:
    """The shape of each input at (batch, length) where the graph leaves them open.

    The first dimension is the batch, the second the length; any further one must have a size.
    Raises TargetError for a graph whose own sizes differ, or that has an open dimension elsewhere.
    """
    feeds = []
    for item in inputs:
        wanted = (batch, length)
        shape = []
        for axis, size in enumerate(item.shape):
            if isinstance(size, str) and axis > 1:
                raise TargetError(
                    f"input {item.name!r} has shape {item.shape}: dimension {axis} has no size. "
                    "Only batch and length may be open."
                )
            if isinstance(size, int) and axis < 2 and size != wanted[axis] and len(item.shape) > 1:
                raise TargetError(
                    f"input {item.name!r} has shape {item.shape}, the profile asks for batch {batch} and "
                    f"length {length}; export with open dimensions or set batch and length in the profile."
                )
            shape.append(wanted[axis] if isinstance(size, str) else size)
        feeds.append(Feed(item.name, item.dtype, tuple(shape), item.rows))
    return feeds


def open_dimensions(inputs: Sequence[GraphInput], batch: int, length: int) -> dict[str, int]:
    """Size of each named open dimension, for a session of fixed shapes."""
    sizes: dict[str, int] = {}
    for item in inputs:
        for name, size in zip(item.shape, (batch, length), strict=False):
            if isinstance(name, str) and name:
                sizes.setdefault(name, size)
    return sizes


def make_inputs(feeds: Sequence[Feed], seed: int = 0) -> dict[str, npt.NDArray[Any]]:
    """Arrays for `feeds`: random token ids, a mask of ones, segment 0, counted positions.

    An input of floats (a graph that is no text model) gets standard normal values.
    """
    rng = np.random.default_rng(seed)
    return {feed.name: _fill(feed, rng) for feed in feeds}


def default_values(name: str, shape: tuple[int, ...], dtype: Any) -> npt.NDArray[Any]:
    """What an input (batch, length) holds that no row gives: positions are counted, all else is 0."""
    if "position" in name:
        return np.broadcast_to(np.arange(shape[-1], dtype=dtype), shape).copy()
    return np.zeros(shape, dtype)


def _fill(feed: Feed, rng: np.random.Generator) -> npt.NDArray[Any]:
    dtype = np.dtype(feed.dtype)
    if dtype.kind == "f":
        return rng.standard_normal(feed.shape).astype(dtype)
    if dtype.kind == "b" or "mask" in feed.name:
        return np.ones(feed.shape, dtype)
    if "type" in feed.name or "segment" in feed.name or "position" in feed.name:
        return default_values(feed.name, feed.shape, dtype)
    rows = feed.rows or _FEWEST_TOKENS
    return rng.integers(min(rows - 1, rows // 20), rows, feed.shape).astype(dtype)
