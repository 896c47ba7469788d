"""All that a new search is checked for, before anything is trained or written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from compresskit.display import SILENT, Display
from compresskit.errors import ConfigurationError
from compresskit.methods.names import LADDERS
from compresskit.methods.registry import make_method
from compresskit.pipeline.inputs import Inputs, read_inputs
from compresskit.pipeline.settings import SearchSettings
from compresskit.pipeline.store import reuse
from compresskit.pipeline.store.fingerprints import check_run, fingerprints_of
from compresskit.pipeline.store.warm_start import read_warm_start
from compresskit.pipeline.training.dense_check import check_dense
from compresskit.pipeline.training.ranks import check_processes, is_first
from compresskit.runs.directory import RunDirectory
from compresskit.supernet.surgery import blueprint_of_config
from compresskit.target.profile import load_profile


@dataclass(frozen=True)
class Checked:
    """A search that may begin. `source`: the run whose super-network it takes; `facts` of its run.json."""

    settings: SearchSettings
    inputs: Inputs
    source: RunDirectory | None
    facts: Mapping[str, Any]

    @property
    def stored(self) -> dict[str, Any]:
        """Its settings as run.json has them."""
        return {**self.settings.to_json(), "profile": self.inputs.profile.to_json()}


def check(
    settings: SearchSettings | None,
    output: Path,
    *,
    force: bool = False,
    changes: Mapping[str, Any] | None = None,
    start_from: Path | None = None,
    warm_start: Path | None = None,
    display: Display = SILENT,
) -> Checked:
    """Read all that a search is given, as `search` has it. CompresskitError for what the user can correct."""
    if is_first():
        RunDirectory.check_new(output, force=force)
    source = None if start_from is None else RunDirectory.open(start_from)
    if source is not None:
        settings = reuse.stored_settings(source, changes or {}, reuse.FREE, "a search from its super-network")
        reuse.check_source(source)
    assert settings is not None
    if source is None:
        settings.check_used()
    reuse.check_kept(output, start_from, settings.start_run)
    check_processes(settings.method)
    profile = load_profile(settings.profile) if source is None else reuse.profile_for(source, changes or {})
    inputs = read_inputs(settings, profile, display)
    made_from = fingerprints_of(inputs.task, inputs.checkpoint, download=source is None)
    if source is not None:
        check_run(source, inputs.task, made_from, "a search from its super-network", display)
        if made_from["model"] is None:  # its super-network is still what it was made from
            made_from["model"] = (source.info.get("fingerprints") or {}).get("model")
    blueprint = blueprint_of_config(inputs.checkpoint.config, inputs.task.kind.hub_task)
    make_method(settings.method).check(settings, blueprint)
    if warm_start is not None and settings.method in LADDERS:
        raise ConfigurationError(
            f"method {settings.method} makes sizes of its own: leave --warm-start out, or take method nas."
        )
    first = None if warm_start is None else read_warm_start(warm_start, inputs, made_from, settings, display)
    if source is None:
        inputs = check_dense(inputs, settings, display)
    source_path = None if source is None else str(source.path.resolve())
    facts = {"taken_from": source_path, "warm_start": first, "fingerprints": made_from}
    return Checked(settings, inputs, source, facts)
