"""A search through an agent that has no torch, is killed in the middle, and is cut off for a minute."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.latency.device import Agent
from benchmarks.latency.subjects import PROFILE, VARIANT, Settings, Subject, minilm, percent
from benchmarks.latency.wire import Wire
from benchmarks.results import write_results
from compresskit.architecture import Candidate
from compresskit.pipeline.evaluation.latency import LatencyMeter
from compresskit.runs import RunDirectory, TrialRecord
from compresskit.searchers import (
    Budget,
    Evaluation,
    SearchProgress,
    build_front,
    make_objectives,
    make_searcher,
    run_search,
)
from compresskit.spaces import Space, make_space
from compresskit.target.base import LatencyTarget
from compresskit.target.local import LocalTarget
from compresskit.target.remote import RemoteTarget

OBJECTIVES = make_objectives(["metric", "latency_ms"])
TRIALS, KILLED_AFTER, CUT_AFTER, CUT_SECONDS = 16, 4, 8, 60.0


def run(settings: Settings) -> None:
    subject = minilm(settings)
    space = make_space("small", subject.slicer.blueprint.dims, unit_multiple=32)
    trials = settings.times(TRIALS, CUT_AFTER + 2)
    with LocalTarget(PROFILE) as local:
        near, _ = searched(subject, space, local, settings.work / "near", trials)
    agent = Agent(settings)
    wire = Wire(agent.port)
    said: list[str] = []
    events: list[dict[str, Any]] = []
    seconds = CUT_SECONDS if settings.share >= 1 else 5.0

    def restart() -> None:
        agent.kill()
        time.sleep(3)
        agent.start()
        events.append({"what": "killed and restarted"})

    def cut() -> None:
        wire.cut()
        time.sleep(seconds)
        wire.repair()
        events.append({"what": f"network cut for {seconds:g} s"})

    happens = {KILLED_AFTER: restart, CUT_AFTER: cut}

    def watch(progress: SearchProgress) -> None:
        if progress.num_trials in happens:
            # While the next trial is under way.
            threading.Timer(0.5, happens[progress.num_trials]).start()

    profile = PROFILE.with_(
        address=f"http://127.0.0.1:{wire.port}", token_file=str(agent.token_file.resolve())
    )
    try:
        with RemoteTarget(profile, say=said.append) as target:
            far, levels = searched(subject, space, target, settings.work / "far", trials, watch)
        packages = agent.packages()
    finally:
        wire.close()
        agent.kill()
    near_level = _levels(settings.work / "near")[0]
    far = [at_level(record, near_level / levels[0]) for record in far]
    _write(settings, near, far, said, events, packages)


def searched(
    subject: Subject,
    space: Space,
    target: LatencyTarget,
    folder: Path,
    trials: int,
    watch: Callable[[SearchProgress], None] | None = None,
) -> tuple[list[TrialRecord], list[float]]:
    """The trials of a search, and the reference's level of each measurement."""
    with RunDirectory.create(folder, {"trials": trials}, force=True) as directory:
        meter = LatencyMeter(directory, target, PROFILE, subject.slicer, VARIANT)

        def evaluate(candidate: Candidate) -> Evaluation:
            found = meter.measure(candidate)
            return Evaluation(
                metric=stand_in(space, candidate),
                latency_ms=found.median_ms,
                latency_ci_ms=found.ci_ms,
            )

        records = run_search(
            evaluate,
            space,
            # What it proposes does not hang on what was measured: both searches see the same candidates.
            make_searcher("random", space, OBJECTIVES, 0),
            budget=Budget(trials=trials),
            clock=time.monotonic,
            on_trial=directory.append_trial,
            on_progress=watch,
        )
    return records, _levels(folder)


def stand_in(space: Space, candidate: Candidate) -> float:
    """In place of a metric, since none is trained here: grows with the size, with a jitter of its own."""
    jitter = np.random.default_rng(sum(candidate.architecture.signature.encode())).normal(0, 0.05)
    return float(np.clip(0.5 + 0.4 * space.relative_size(candidate.architecture) ** 0.5 + jitter, 0, 1))


def _levels(folder: Path) -> list[float]:
    return [record["reference_level_ms"] for record in RunDirectory.open(folder).latencies()]


def at_level(record: TrialRecord, factor: float) -> TrialRecord:
    """The two searches took the reference's level each for itself; this puts one on the other's."""
    if record.latency_ms is None or record.latency_ci_ms is None:
        return record
    low, high = record.latency_ci_ms
    return replace(record, latency_ms=record.latency_ms * factor, latency_ci_ms=(low * factor, high * factor))


def front_ids(records: Sequence[TrialRecord]) -> set[int]:
    return {
        point.trial_id
        for point in build_front(records, OBJECTIVES, "stand-in").points
        if point.trial_id is not None
    }


def unexplained(one: Sequence[TrialRecord], other: Sequence[TrialRecord]) -> list[int]:
    """Points on one front alone, though no interval overlaps that of a point which dominates them."""
    lost = []
    for trial in front_ids(one) - front_ids(other):
        rivals = [r for r in other if r.trial_id != trial and (r.metric or 0) >= (other[trial].metric or 0)]
        if not any(_overlap(rival, other[trial]) for rival in rivals):
            lost.append(trial)
    return lost


def _overlap(one: TrialRecord, other: TrialRecord) -> bool:
    if one.latency_ci_ms is None or other.latency_ci_ms is None:
        return False
    return one.latency_ci_ms[0] <= other.latency_ci_ms[1] and other.latency_ci_ms[0] <= one.latency_ci_ms[1]


def _write(
    settings: Settings,
    near: list[TrialRecord],
    far: list[TrialRecord],
    said: list[str],
    events: list[dict[str, Any]],
    packages: list[str],
) -> None:
    pairs = [(a, b) for a, b in zip(near, far, strict=True) if a.is_completed and b.is_completed]
    differences = np.array([abs((b.latency_ms or 0) / (a.latency_ms or 1) - 1) for a, b in pairs])
    overlapping = [_overlap(a, b) for a, b in pairs]
    failed = [record.error for record in (*near, *far) if not record.is_completed]
    strays = unexplained(near, far) + unexplained(far, near)
    table = [
        ["", "local", "through the agent"],
        ["trials completed", *(str(sum(r.is_completed for r in side)) for side in (near, far))],
        ["points on the front", *(str(len(front_ids(side))) for side in (near, far))],
        ["on both fronts", str(len(front_ids(near) & front_ids(far))), ""],
        ["on one front alone, intervals apart", str(len(strays)), ""],
        ["latencies whose intervals overlap", f"{sum(overlapping)} of {len(near)}", ""],
        ["difference of latencies, median", percent(float(np.median(differences))), ""],
        ["seconds a trial, median", *(f"{np.median([r.seconds for r in side]):.2f}" for side in (near, far))],
    ]
    write_results(
        settings.output,
        "agent",
        {
            "events": events,
            "said": said,
            "failed": failed,
            "agent_packages": packages,
            "front_points_apart": strays,
            "local": [record.to_json() for record in near],
            "remote": [record.to_json() for record in far],
        },
        table,
        "The same random search over MiniLM-L6 candidates, locally and through `compresskit agent` in an "
        "environment without torch, by way of a forwarder on loopback. "
        f"On the way: {'; '.join(event['what'] for event in events)}. Trials lost: {len(failed)}. "
        f"What the user was told: {' / '.join(said)} Metrics are a stand-in, since nothing is trained here; "
        "latencies are compared at one level of the reference.",
    )
