"""Importance of the heads and units of a run's dense model, stored beside its weights."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import save_file

from compresskit.pipeline.store.tensors import read_arrays
from compresskit.pipeline.training.ranks import is_first
from compresskit.runs.atomic import atomic_path
from compresskit.spaces import Space
from compresskit.supernet.importance import Importance

SCORES_FILE = "importance.safetensors"


def save_scores(folder: Path, scores: Importance | None) -> None:
    """Write `scores`, of the members in their present order, into the folder of a run's super-network."""
    if scores is None or not is_first():
        return
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {"heads": scores.heads, "units": scores.units}
    with atomic_path(folder / SCORES_FILE) as path:
        save_file({name: tensor.cpu().float().contiguous() for name, tensor in tensors.items()}, path)


def informed(space: Space, folder: Path) -> Space:
    """`space` as the scores in `folder` shape it; as it is where heads and units were not ordered."""
    scores = read_scores(folder)
    return space if scores is None else space.with_scores(scores.heads.numpy(), scores.units.numpy())


def read_scores(folder: Path) -> Importance | None:
    """What `save_scores` wrote there; None where it wrote nothing."""
    if not (folder / SCORES_FILE).exists():
        return None
    scores = read_arrays(folder / SCORES_FILE, ("heads", "units"), "Restore it, or start a new search.")
    return Importance(torch.from_numpy(scores["heads"]), torch.from_numpy(scores["units"]))
