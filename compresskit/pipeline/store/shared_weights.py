"""Where the shared weights of a run are, in one or in parts: RUN/supernet/model."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from compresskit.architecture import Architecture, Dimensions
from compresskit.errors import RunError
from compresskit.pipeline.store.importance import informed, read_scores
from compresskit.pipeline.training.models import load_model
from compresskit.runs.atomic import write_atomic
from compresskit.runs.fields import read_object
from compresskit.spaces import Space
from compresskit.supernet.network import SuperNetwork
from compresskit.supernet.sub_supernets import PartedNetwork, place_of

_FILE, _FOLDER = "parts.json", "parts"


@dataclass(frozen=True)
class _Ends:
    least: list[float]


def load_shared(folder: Path) -> SuperNetwork:
    """The shared weights in RUN/supernet/model."""
    least = _least(folder)
    if len(least) == 1:
        return SuperNetwork(load_model(folder))
    return PartedNetwork([load_model(part_folder(folder, i)) for i in range(len(least))], least)


def folder_for(folder: Path, architecture: Architecture, dims: Dimensions) -> Path:
    """Where in RUN/supernet/model the weights are that `architecture` is a slice of."""
    return part_folder(folder, place_of(architecture.relative_size(dims), _least(folder)))


def informed_by_run(space: Space, supernet: Path) -> Space:
    """`space` as all that stands in RUN/supernet shapes it: the dense order, then those of the parts."""
    return informed_by_parts(informed(space, supernet), supernet / "model")


def informed_by_parts(space: Space, folder: Path) -> Space:
    """`space` as the orders of the parts in RUN/supernet/model shape it."""
    least = _least(folder)
    found = [read_scores(order_folder(folder, place)) for place in range(1, len(least))]
    orders = [
        (end, scores.heads.numpy(), scores.units.numpy())
        for end, scores in zip(least, (s and s.sorted() for s in found), strict=False)
        if scores is not None
    ]
    return space.in_parts(orders) if orders else space


def part_folder(folder: Path, place: int) -> Path:
    """Of the weights of a part, from 0; those of the largest are in `folder` itself."""
    return folder / _FOLDER / str(place + 1) if place else folder


def order_folder(folder: Path, place: int) -> Path:
    """Of the scores by which a part was ordered, of its members in the order of the part before."""
    return folder / _FOLDER / f"order-{place + 1}"


def write_ends(folder: Path, least: Sequence[float]) -> None:
    """Say where each part ends: what stands in `folder` is whole."""
    write_atomic(folder / _FILE, json.dumps({"least": list(least)}) + "\n")


def _least(folder: Path) -> list[float]:
    """Where parts end; one that never does, where the weights are in one."""
    if not (folder / _FILE).exists():
        return [0.0]
    remedy = "Restore it, or start a new search."
    found: list[float] = read_object(folder / _FILE, _Ends, remedy)["least"]
    if not found:
        raise RunError(f"{folder / _FILE} is damaged: it names no parts. {remedy}")
    return found
