"""A search that starts from another run: its super-network and its scores, for another device or space."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from compresskit.architecture import Architecture
from compresskit.errors import ArchitectureError, ConfigurationError, RunError
from compresskit.exhausted import is_disk_full
from compresskit.methods.names import NAS
from compresskit.pipeline.evaluation.evaluator import Scores
from compresskit.pipeline.settings import KNOWN, SearchSettings, as_kept
from compresskit.pipeline.store.dense_predictions import ANSWERS_FILE
from compresskit.pipeline.store.importance import SCORES_FILE
from compresskit.pipeline.store.rotation import ROTATION_FILE
from compresskit.runs.atomic import sync_tree, write_error
from compresskit.runs.directory import RunDirectory
from compresskit.runs.fields import RESTORE
from compresskit.runs.pruned import check_whole
from compresskit.target.profile import Profile, load_profile

_T = TypeVar("_T")
# What a front is scored by at its end.
SCORED = {"judge", "dims"}
# What may lengthen a search that is resumed, and those.
RESUMABLE = {"trials", "budget", *SCORED}
# What may differ from the run that is started from; everything else shaped its super-network.
FREE = {
    "profile",
    "space",
    "searcher",
    "objectives",
    "precisions",
    "max_latency_ms",
    "max_drop",
    "proposals",
    "trials",
    "budget",
    "layer_policy",
    "unit_multiple",
    *SCORED,
}
_CARRIED = ("dense_metric", "dense_search_metric", "metric_name", "blueprint", "notes", "full_steps")


def stored_settings(
    run: RunDirectory, changes: Mapping[str, Any], permitted: Collection[str], what: str
) -> SearchSettings:
    """Settings that `run` was started with, and `changes`.

    ConfigurationError for a change that is not `permitted` to `what`, such as "a resumed search".
    """
    # A run may be of another version, with settings that are none of this one's.
    stored = {name: value for name, value in run.settings.items() if name in KNOWN}
    kept = profile_for(run, {})
    stored["profile"] = kept.name
    settings = _checked(run, lambda: SearchSettings.from_json(stored))
    if "profile" in changes and profile_for(run, changes).filled({"choices": kept.choices}) == kept:
        changes = {name: value for name, value in changes.items() if name != "profile"}
    changes = {name: as_kept(name, value) for name, value in changes.items()}
    for name, value in changes.items():
        before = getattr(settings, name)
        if name not in permitted and value != before:
            raise ConfigurationError(
                f"{name} is {value!r}, but {run.path} was started with {before!r}; {what} may change "
                f"{', '.join(sorted(permitted)) or 'nothing'}. Leave it out, or start a new search."
            )
    return replace(settings, **{name: value for name, value in changes.items() if name in permitted})


def profile_for(run: RunDirectory, changes: Mapping[str, Any]) -> Profile:
    """The profile that `changes` name, or the one that is kept in `run`: its file may be gone."""
    asked = changes.get("profile")
    if asked is not None:
        return load_profile(asked)
    return _checked(run, lambda: Profile.from_json(run.settings["profile"]))


def _checked(run: RunDirectory, read: Callable[[], _T]) -> _T:
    """What `read` makes of run.json. RunError for a value that no search can have been begun with."""
    try:
        return read()
    except (ConfigurationError, ArchitectureError, TypeError, ValueError, AttributeError) as error:
        raise RunError(f"{run.path / 'run.json'} is damaged: {error} {RESTORE}") from None


def check_kept(output: Path, *sources: Path | str | None) -> None:
    """Raise ConfigurationError where --force would delete what the search starts from."""
    if any(source is not None and Path(source).resolve() == output.resolve() for source in sources):
        raise ConfigurationError(f"{output} is the run to start from; choose another --output.")


def check_source(source: RunDirectory) -> None:
    """RunError when `source` has no trained super-network yet, or its method shares none."""
    check_whole(source)
    method = source.settings.get("method", NAS)
    if method != NAS:
        raise RunError(
            f"{source.path} is a run of method {method}, which trains no super-network to start from; "
            "--from takes a run of method nas. Start a new search."
        )
    for name in ("dense_model", "model"):
        if not (source.supernet / name).is_dir():
            raise RunError(
                f"{source.path} has no trained super-network yet; continue its search with --resume first."
            )


def take_over(source: RunDirectory, run: RunDirectory) -> None:
    """Copy all that was learnt in a run that `check_source` accepts: models, scores and curves.

    Models come last and at once: where they stand, run.json knows of them. Cut off, it may be begun again.
    """
    run.supernet.mkdir(exist_ok=True)
    copied = [
        run.supernet / f"{name}.part"
        for name in ("dense_model", "model")
        if not (run.supernet / name).exists()
    ]
    try:
        for part in copied:
            _copy_folder(source.supernet / part.stem, part)
        for name in ("progress.jsonl", SCORES_FILE, ANSWERS_FILE, ROTATION_FILE):
            if (source.supernet / name).exists():
                shutil.copyfile(source.supernet / name, run.supernet / name)
        sync_tree(run.supernet)
    except OSError as error:
        if is_disk_full(error):
            raise write_error(run.supernet / "model", error) from error
        raise RunError(
            f"{source.path} could not be copied into {run.path}: {error}. Correct that, then continue "
            "with --resume."
        ) from error
    run.update(
        status="supernet",
        started_from=source.path.name,
        scores=[
            {"architecture": record.architecture, **{name: getattr(record, name) for name in Scores._fields}}
            for record in source.trials()
            if record.is_completed and record.metric is not None and record.precision == "fp32"
        ],
        **{name: source.info[name] for name in _CARRIED if name in source.info},
    )
    for part in copied:
        part.rename(part.with_suffix(""))
    run.update(taken_from=None)


def _copy_folder(source: Path, copy: Path) -> None:
    """Contents without modes: an archived run may be read-only, what is made of it is written to."""

    def fail(error: OSError) -> NoReturn:
        raise error

    for folder, _, names in os.walk(source, onerror=fail):
        into = copy / Path(folder).relative_to(source)
        into.mkdir(parents=True, exist_ok=True)
        for name in names:
            shutil.copyfile(Path(folder, name), into / name)


def go_on(run: RunDirectory, settings: SearchSettings) -> None:
    """Ready a run to be resumed: it is as long as `settings` say, and a copying that was cut off is ended.

    Raises RunError for records that are damaged, before anything is computed.
    """
    run.trials(), run.latencies()
    asked = settings.to_json()
    lasting = {name: asked[name] for name in ("trials", "budget_seconds", *SCORED)}
    run.update(settings={**run.settings, **lasting})
    if run.info.get("taken_from") is not None:
        take_over(RunDirectory.open(run.info["taken_from"]), run)


def known_scores(run: RunDirectory) -> dict[Architecture, Scores]:
    """Scores, on the rows that search scores on, that the run started from already knows."""
    return _checked(
        run,
        lambda: {
            Architecture.from_json(item["architecture"]): Scores(*map(item.get, Scores._fields))
            for item in run.info.get("scores", ())
        },
    )
