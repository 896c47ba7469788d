"""Weights that belong to one trial alone: RUN/points/<trial_id>/, a model of the dense sizes."""

from __future__ import annotations

import json
from pathlib import Path

from torch import nn

from compresskit.architecture import Architecture, Candidate, Dimensions
from compresskit.errors import ArchitectureError, RunError
from compresskit.pipeline.store.shared_weights import folder_for
from compresskit.pipeline.training.models import load_model
from compresskit.runs.atomic import atomic_folder
from compresskit.runs.fields import read_object

_FILE = "candidate.json"


def weights_name(trial_id: int) -> str:
    """The folder of a trial's weights, relative to the run: `TrialRecord.weights`."""
    return f"points/{trial_id}"


def save_point(run: Path, name: str, candidate: Candidate, model: nn.Module) -> None:
    """Write model and candidate whole: a reader never sees half of them.

    `model` has the dense sizes; the candidate's slices of it are the point, the rest has no meaning.
    """
    with atomic_folder(run / name) as part:
        model.save_pretrained(part)  # type: ignore[operator]
        (part / _FILE).write_text(json.dumps(candidate.to_json()) + "\n", encoding="utf-8")


def read_point(run: Path, name: str) -> tuple[Candidate, nn.Module]:
    """What `save_point` wrote. Raises RunError when it is not there."""
    folder = run / name
    return _candidate(folder), load_model(folder)


def _candidate(folder: Path) -> Candidate:
    remedy = "Remove the folder, then continue with --resume."
    value = read_object(folder / _FILE, remedy=remedy)
    try:
        return Candidate.from_json(value)
    except (ArchitectureError, TypeError, ValueError, KeyError, AttributeError) as error:
        raise RunError(f"{folder / _FILE} is not a candidate ({error}). {remedy}") from None


def weights_folder(run: Path, weights: str | None, architecture: Architecture, dims: Dimensions) -> Path:
    """Where the weights of a trial are: its own, or those of the super-network that it is a slice of.

    Raises RunError when they are gone.
    """
    folder = folder_for(run / "supernet" / "model", architecture, dims) if weights is None else run / weights
    if not folder.is_dir():
        raise RunError(
            f"{folder}, which holds a trial's weights, is not there; restore it, or start a new search."
        )
    return folder
