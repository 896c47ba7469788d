"""A target on this machine: a worker process that is killed and restarted when a graph crashes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from compresskit.closing import Closing
from compresskit.errors import TargetError
from compresskit.runs.schema import utc_now
from compresskit.target.base import Measurement, Model, SessionSettings
from compresskit.target.child import Child
from compresskit.target.external_weights import LightGraph
from compresskit.target.graph import weight_bytes
from compresskit.target.host import host_conditions, physical_cores
from compresskit.target.leg import CANDIDATE
from compresskit.target.load import Load, foreign_cores, load_now
from compresskit.target.loaded_references import OWN, Reference, References
from compresskit.target.paired import BETWEEN, PAIR_BETWEEN
from compresskit.target.profile import PROVIDERS, Profile
from compresskit.target.reference_level import Baselines, conditions_key
from compresskit.target.series import Series
from compresskit.target.session import session_spec
from compresskit.target.staging import Staging
from compresskit.target.statistics import median_interval, percentile_ms
from compresskit.target.timer import sample, warm_up
from compresskit.target.warn import (
    busy_marks,
    drift_warnings,
    fallback_warnings,
    machine_warnings,
    sampling_warnings,
)
from compresskit.target.workload import combine, parts_of

if TYPE_CHECKING:
    from onnx import ModelProto


def start_child(profile: Profile, **limits: Any) -> Child:
    """A worker for `profile`. Raises TargetError when its provider is not there, naming those that are."""
    child = Child(cores=profile.cores, limit_addresses=profile.provider == "cpu", **limits)
    there = child.facts["providers"]
    if PROVIDERS[profile.provider] not in there:
        child.kill()
        usable = [name for name, full in PROVIDERS.items() if full in there]
        raise TargetError(
            f"profile {profile.name!r} asks for provider {profile.provider!r}, which onnxruntime "
            f"{child.facts['onnxruntime']} here does not have; available: {', '.join(usable)}. Use a profile "
            "of one of these, or install the build that has it (onnxruntime-gpu for cuda and tensorrt)."
        )
    return child


def resolve(profile: Profile) -> Profile:
    """`profile` with its number of threads resolved: 0 becomes the physical cores."""
    return profile if profile.threads else profile.with_(threads=physical_cores(profile.cores))


def cache_folder(profile: Profile) -> Path | None:
    """Where TensorRT keeps engines and timings between processes; None for other providers."""
    if profile.provider != "tensorrt":
        return None
    from platformdirs import user_cache_path

    folder = user_cache_path("compresskit") / "tensorrt"
    for part in ("engines", "timings"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    return folder


class LocalTarget(Closing):
    """Latency on this machine. References stay loaded; candidates come and go beside them.

    `baselines` is a JSON file in which the references' levels are kept, so that processes correct to the
    same ones; without it each target measures its own. `memory_limit_bytes` bounds the worker,
    `timeout_seconds` each of its steps (making a session, one batch of runs).
    Raises TargetError when the profile's provider is not there.
    """

    def __init__(
        self,
        profile: Profile,
        *,
        baselines: Path | None = None,
        memory_limit_bytes: int | None = None,
        timeout_seconds: float = 120.0,
    ) -> None:
        self.profile = resolve(profile)
        self._limits = {"memory_limit_bytes": memory_limit_bytes, "timeout_seconds": timeout_seconds}
        self._cache = cache_folder(profile)
        self._staging = Staging()
        self._child: Child | None = start_child(self.profile, **self._limits)
        self._conditions = conditions_of(self.profile, self._child.facts, host_conditions())
        self._references = References(self.profile, Baselines(baselines, self._conditions), self._cache)

    def measure(
        self,
        model: Model | ModelProto | LightGraph,
        *,
        reference: Model | None = None,
        session: SessionSettings | None = None,
        reference_session: SessionSettings | None = None,
        seconds: float | None = None,
    ) -> Measurement:
        """See LatencyTarget. Without a `reference` a built-in graph that suits the size takes its place.

        Raises TargetError when the graph is not ONNX, fails, or passes a limit.
        """
        child = self._running()
        path = self._staging.put(model)
        parts = parts_of(self.profile.within(seconds))
        beside = self._references.choose(child, reference, weight_bytes(path), reference_session)
        found = [self._measure_at(part.profile, child, beside, path, session) for part in parts]
        return combine(parts, found, self.profile)

    def _measure_at(
        self, profile: Profile, child: Child, beside: Reference, path: Path, session: SessionSettings | None
    ) -> Measurement:
        spec = session_spec(path, profile, session, cache=self._cache)
        if spec.threads > 1:
            # Its idle threads would spin beside the reference's runs.
            spec = spec.with_entry("session.force_spinning_stop", "1")
        level_ms = self._references.level_ms(beside)
        try:
            loaded = child.load(CANDIDATE, path, spec)
            before = load_now((child.pid,))
            run_ms = warm_up(child.run, CANDIDATE, profile)
            series = sample(child.run, profile, level_ms, run_ms, reference=beside.slot)
            after = load_now((child.pid,))
            series.level_ms = self._references.met(beside, series.lowest_level_ms)
            series.between = PAIR_BETWEEN if beside.slot == OWN else BETWEEN
        finally:
            if child.alive:
                child.drop(CANDIDATE)
        first_look = profile.min_runs < self.profile.min_runs
        measured = summarize(series, profile, before, after, loaded["nodes"], first_look=first_look)
        extra = {
            "session": (session or SessionSettings()).to_json(),
            "nodes": loaded["nodes"],
            "reference": beside.key,
            "reference_levels_ms": self._references.levels_ms(),
            "key": conditions_key(self._conditions),
        }
        return replace(
            measured,
            first_run_ms=loaded["first_run_ms"],
            conditions={**self._conditions, **measured.conditions, **extra},
        )

    def conditions(self) -> dict[str, Any]:
        """Device, ONNX Runtime and profile: what a stored latency is valid for."""
        return dict(self._conditions)

    def _running(self) -> Child:
        if self._child is None or not self._child.alive:
            self._stop()
            self._child = start_child(self.profile, **self._limits)
        return self._child

    def close(self) -> None:
        self._stop()
        self._staging.close()

    def _stop(self) -> None:
        if self._child is not None:
            self._child.kill()
            self._child = None


def summarize(
    series: Series,
    profile: Profile,
    before: Load,
    after: Load,
    nodes: Mapping[str, int],
    *,
    first_look: bool = False,
) -> Measurement:
    """The figures and warnings of one series."""
    samples = tuple(value for leg in series.candidate for value in leg.samples_ms)
    median, low, high = median_interval(series.raw_blocks)
    fixed, fixed_low, fixed_high = series.corrected_interval()
    walls = [leg.wall_ms or leg.samples_ms for leg in series.candidate]
    rounds = series.rounds if series.by_rounds else None
    return Measurement(
        samples_ms=samples,
        reference_samples_ms=tuple(value for leg in series.reference for value in leg.samples_ms),
        median_ms=median,
        ci_ms=(low, high),
        corrected_median_ms=fixed,
        corrected_ci_ms=(fixed_low, fixed_high),
        reference_level_ms=series.level_ms,
        p50_ms=median,
        p95_ms=percentile_ms(samples, 95),
        p99_ms=percentile_ms(samples, 99),
        throughput_per_s=profile.texts * 1e3 / median,
        wall_median_ms=float(np.median(np.concatenate(walls))),
        rounds_ms=() if rounds is None else rounds.to_ms(),
        common_error=series.common_error,
        marks=tuple(busy_marks(series)),
        warnings=(
            *sampling_warnings(samples, series.sampling_half_width, profile, first_look=first_look),
            *machine_warnings(before, after),
            *drift_warnings([float(np.median(leg.samples_ms)) for leg in series.reference], series.level_ms),
            *fallback_warnings(nodes, profile),
        ),
        conditions={
            "measured_at": utc_now(),
            "foreign_cores": foreign_cores(before, after),
            "clock_mhz": after.clock_mhz,
            "sampling_half_width": series.sampling_half_width,
            "share_taken": series.met.share_taken,
            "clock": "processor time" if series.candidate[0].wall_ms else "wall clock",
        },
    )


def conditions_of(profile: Profile, facts: Mapping[str, Any], host: Mapping[str, Any]) -> dict[str, Any]:
    """What a latency under `profile` in a worker of these facts on this `host` is valid for."""
    settings = profile.to_json()
    names = (
        "provider provider_options threads cores batch choices candidates length lengths precision shapes "
    )
    names += "session_options"
    return {
        "profile": profile.name,
        "profile_key": profile.key(),
        **{name: settings[name] for name in names.split() if name in settings},
        "onnxruntime": facts["onnxruntime"],
        "providers_available": facts["providers"],
        "host": host,
    }
