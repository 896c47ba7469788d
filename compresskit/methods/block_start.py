"""What block-structured pruning begins with: the dense model, or a point of another run."""

from __future__ import annotations

from torch import nn

from compresskit.architecture import Architecture
from compresskit.errors import ConfigurationError
from compresskit.families import Blueprint, blueprint_from_json
from compresskit.methods.base import MethodContext
from compresskit.pipeline.settings import SearchSettings
from compresskit.pipeline.store.trial_weights import weights_folder
from compresskit.pipeline.training.models import load_model
from compresskit.pruning.rivals.order import move_to_front
from compresskit.runs.directory import RunDirectory
from compresskit.runs.records import TrialRecord


def check_start(settings: SearchSettings, blueprint: Blueprint) -> None:
    """Raise ConfigurationError where the point to begin with is not there, or of another model."""
    found = _point_of(settings)
    if found is not None and blueprint_from_json(found[0].info["blueprint"]).dims != blueprint.dims:
        raise ConfigurationError(_another(found[0]))


def start_of(context: MethodContext) -> tuple[nn.Module, Architecture]:
    """What is trained and pruned: the dense model, or a point of another run with its weights."""
    found = _point_of(context.settings)
    if found is None:
        return context.fresh(), context.full
    source, record = found
    if blueprint_from_json(source.info["blueprint"]) != context.blueprint:
        raise ConfigurationError(_another(source))
    architecture = record.candidate.architecture
    folder = weights_folder(source.path, record.weights, architecture, context.blueprint.dims)
    model = load_model(folder)
    # Pruning puts units in another order, point by point; what stays has to be the first of them.
    (architecture,) = move_to_front(model, [architecture])
    return model, architecture


def _point_of(settings: SearchSettings) -> tuple[RunDirectory, TrialRecord] | None:
    """The run and the trial to begin with, if another run's; ConfigurationError where there is none."""
    if settings.start_run is None:
        if settings.start_trial is not None:
            raise ConfigurationError(
                f"--start-trial {settings.start_trial} is a trial of another run; name that by --start-run."
            )
        return None
    source = RunDirectory.open(settings.start_run)
    completed = {
        record.trial_id: record for record in source.trials() if record.is_completed and record.blocks is None
    }
    record = None if settings.start_trial is None else completed.get(settings.start_trial)
    if record is None:
        given = "none is given" if settings.start_trial is None else f"{settings.start_trial} is none"
        raise ConfigurationError(
            f"--start-trial names a completed trial without blocks of {source.path}, and {given}; permitted: "
            f"{', '.join(map(str, completed)) or 'nothing, the run has none'}."
        )
    return source, record


def _another(source: RunDirectory) -> str:
    return f"{source.path} is a run of another model or of other labels; a start must be of the same."
