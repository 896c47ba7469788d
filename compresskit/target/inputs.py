"""What a graph is fed while it is timed: real-looking tokens, never zeros."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
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


def plan_feeds(inputs: Sequence[GraphInput], sizes: Mapping[str, int]) -> list[Feed]:
    """The shape of each input where the graph leaves it open; `sizes`: of axes, see `Profile.sizes`.

    The axes of an input are batch and length, or batch, choices and length where the third is open; any
    further dimension must have a size. A graph without choices takes theirs in its batch. Raises TargetError
    for a graph whose own sizes differ, or that has another open dimension.
    """
    wanted = _of_graph(inputs, sizes)
    asked = " and ".join(f"{axis} {size}" for axis, size in wanted.items())
    feeds = []
    for item in inputs:
        axes, shape = _axes(item), []
        for place, size in enumerate(item.shape):
            known = wanted.get(axes[place]) if place < len(axes) else None
            if isinstance(size, str) and known is None:
                advice = (
                    "Set choices in the profile: how many a question has."
                    if place < len(axes)
                    else "Only batch, choices and length may be open."
                )
                raise TargetError(
                    f"input {item.name!r} has shape {item.shape}: dimension {place} has no size. {advice}"
                )
            if isinstance(size, int) and known not in (None, size) and len(item.shape) > 1:
                raise TargetError(
                    f"input {item.name!r} has shape {item.shape}, the profile asks for {asked}; export with "
                    "open dimensions or set these sizes in the profile."
                )
            shape.append(known if known is not None and isinstance(size, str) else int(size))
        feeds.append(Feed(item.name, item.dtype, tuple(shape), item.rows))
    return feeds


def open_dimensions(inputs: Sequence[GraphInput], sizes: Mapping[str, int]) -> dict[str, int]:
    """Size of each named open dimension, for a session of fixed shapes; `sizes` as `plan_feeds` has them."""
    wanted, found = _of_graph(inputs, sizes), dict[str, int]()
    for item in inputs:
        for name, axis in zip(item.shape, _axes(item), strict=False):
            if isinstance(name, str) and name and axis in wanted:
                found.setdefault(name, wanted[axis])
    return found


def _axes(item: GraphInput) -> tuple[str, ...]:
    if item.dtype.startswith("float") and len(item.shape) > 2 and isinstance(item.shape[1], int):
        return ("batch",)  # of images, or of frames of sound
    wide = len(item.shape) == 3 and isinstance(item.shape[-1], str)
    return ("batch", "choices", "length") if wide else ("batch", "length")


def _of_graph(inputs: Sequence[GraphInput], sizes: Mapping[str, int]) -> dict[str, int]:
    """`sizes` of the axes that the graph has: what it has none for is in its batch."""
    axes = {axis for item in inputs for axis in _axes(item)}
    inside = prod(size for axis, size in sizes.items() if axis not in axes and axis != "length")
    return {axis: size * inside if axis == "batch" else size for axis, size in sizes.items() if axis in axes}


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
