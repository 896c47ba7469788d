"""A search that tries first what an earlier run of the same model sizes found, on other data or devices."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from compresskit.architecture import Candidate, Dimensions
from compresskit.errors import ArchitectureError, ConfigurationError
from compresskit.families import dimensions_of, family_for
from compresskit.pipeline.inputs import Inputs
from compresskit.pipeline.settings import SearchSettings
from compresskit.pipeline.store.fingerprints import check_warm_start
from compresskit.runs.directory import RunDirectory
from compresskit.spaces import Space


def read_warm_start(
    path: Path,
    inputs: Inputs,
    made_from: Mapping[str, Any],
    settings: SearchSettings,
    say: Callable[[str], None],
) -> dict[str, Any]:
    """The front of the run in `path`, as run.json keeps it: a resumed search needs no other run.

    Only what to try is taken over: each is scored and measured again, so that its data and model may have
    other names. `made_from`: fingerprints of this search. Raises ConfigurationError when the run is of
    another family or of other dimensions, or its architectures are not in the space; RunError when it has
    no front, or when its data or model of the same name have changed.
    """
    source, space = RunDirectory.open(path), inputs.space
    points = source.front().points
    found, wanted = _of_run(source), _of_model(inputs.checkpoint.config)
    if found != wanted:
        raise ConfigurationError(
            f"--warm-start {path} is a run of {_said(found)}; this search is of {_said(wanted)}. Name a run "
            "of the same family and dimensions, or leave it out."
        )
    check_warm_start(source, made_from, settings, say)
    try:
        for point in points:
            space.like(point.candidate)
    except ArchitectureError as error:
        raise ConfigurationError(
            f"--warm-start {path} searched space {source.settings.get('space')!r}; space {space.name!r} of "
            f"this search lacks some of its architectures: {error} Search the same space, with the same "
            "--layer-policy and --unit-multiple, or leave --warm-start out."
        ) from None
    return {
        "run": path.name,
        "candidates": [
            {"architecture": point.architecture, "precision": point.precision} for point in points
        ],
    }


def recorded(run: RunDirectory, space: Space) -> list[Candidate]:
    """What `read_warm_start` left in run.json, as `space` has it; none for a search without a warm start."""
    kept = run.info.get("warm_start") or {"candidates": []}
    return [space.like(Candidate.from_json(item)) for item in kept["candidates"]]


def _of_run(run: RunDirectory) -> tuple[str, Dimensions]:
    blueprint = run.info["blueprint"]
    return str(blueprint["model_type"]), Dimensions.from_json(blueprint["dims"])


def _of_model(config: Any) -> tuple[str, Dimensions]:
    return family_for(config.model_type).model_type, dimensions_of(config)


def _said(model: tuple[str, Dimensions]) -> str:
    family, dims = model
    return (
        f"a {family} of {dims.num_layers} layers, {dims.num_heads} heads of {dims.head_size}, "
        f"{dims.num_units} units and width {dims.hidden_size}"
    )
