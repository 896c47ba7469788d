"""Several engines side by side: each in a fresh process, turn about, in random order."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from compresskit.errors import ConfigurationError, TargetError
from compresskit.target.base import Model, SessionSettings
from compresskit.target.baseline import Level, conditions_key
from compresskit.target.child import Child
from compresskit.target.comparison import Comparison, EngineMeasurement, Ratio
from compresskit.target.host import host_conditions
from compresskit.target.load import load_now
from compresskit.target.local import cache_folder, conditions_of, resolve, start_child
from compresskit.target.paired import Rounds
from compresskit.target.profile import Profile
from compresskit.target.references import built_in
from compresskit.target.session import session_spec
from compresskit.target.statistics import (
    MIN_SAMPLES_P99,
    Array,
    median_interval,
    ratio_interval,
)
from compresskit.target.timer import Step, runs_for, runs_to_settle, warm_up
from compresskit.target.warn import fallback_warnings, machine_warnings, sampling_warnings
from compresskit.target.workload import mixed_percentile, parts_of, percentile_interval, weighted

_BLOCK_MS = 60.0
_MIN_ROUNDS = 12
# Coverage of an interval that is looked at up to eight times, each after half as many rounds again: 95 % of
# comparisons stop with one that holds the true ratio (Pocock, 1977; Jennison and Turnbull, 1989).
_AT_EACH_LOOK = 0.99


@dataclass(frozen=True)
class EngineToMeasure:
    """A graph to compare under `name`; `size_bytes` is its file's size where it is more than the graph."""

    name: str
    model: Model
    session: SessionSettings | None = None
    size_bytes: int | None = None


@dataclass
class _Runner:
    """One engine in its process; `slots[j]` is its session of part j, and `blocks[j][i]` its round i."""

    engine: EngineToMeasure
    child: Child
    first_run_ms: float
    nodes: dict[str, int]
    slots: list[str]
    settle: list[int]
    runs: list[int]
    weights: list[float]
    blocks: list[list[Array]]

    def turn(self) -> float:
        """One block of each part, and how long they took with the untimed runs before them, ms."""
        # The process has slept since its last turn, and others have filled the caches.
        legs = self.child.run(
            [
                Step(slot, 2 * settle, runs)
                for slot, settle, runs in zip(self.slots, self.settle, self.runs, strict=True)
            ]
        )
        spent_ms = 0.0
        for blocks, leg, settle in zip(self.blocks, legs, self.settle, strict=True):
            blocks.append(np.asarray(leg.samples_ms))
            spent_ms += sum(leg.samples_ms) * (1 + 2 * settle / len(leg.samples_ms))
        return spent_ms

    def corrected(self, reference: _Runner, level_ms: float) -> tuple[float, float, float]:
        """Latency in the state where the reference, run before and after each round, takes `level_ms`."""
        state = np.log([np.median(block) for block in reference.blocks[0]])
        found = [
            Rounds(np.log([np.median(block) for block in blocks]), state[:-1], state[1:]).interval(level_ms)
            for blocks in self.blocks
        ]
        return weighted(found, self.weights)

    def interval(self) -> tuple[float, float, float]:
        return weighted([median_interval(blocks) for blocks in self.blocks], self.weights)

    def ratio_to(self, base: _Runner, *, draws: int = 1000, coverage: float) -> tuple[float, float, float]:
        return ratio_interval(base.blocks, self.blocks, self.weights, draws=draws, coverage=coverage)


def compare(
    engines: Sequence[EngineToMeasure],
    profile: Profile,
    baseline: str | None = None,
    *,
    level: Level | None = None,
    decide: bool = False,
    seed: int = 0,
) -> Comparison:
    """Latency of each engine, and how many times faster each is than the one named `baseline`.

    One process works at a time while the others wait, and every round takes all in a new random order, so
    that drift meets all alike; the ratio's interval is bootstrapped over whole rounds. Without a
    `baseline` the first engine is it. Rounds go on until every median and ratio is known to the profile's
    precision, or its `max_seconds` an engine have passed. With the `level` of a search under the same
    conditions, the reference that it names is run between rounds and latencies corrected to it stand
    beside the raw ones.
    To `decide` between engines, rounds go on only until each ratio's interval leaves 1 out or lies within
    2 % of it; it is so wide that stopping then is allowed for.
    Raises ConfigurationError for a wrong selection, TargetError when an engine fails.
    """
    names = [engine.name for engine in engines]
    against = baseline or (names[0] if names else "")
    if len(set(names)) != len(names) or against not in names:
        raise ConfigurationError(
            f"cannot compare {', '.join(names) or 'nothing'} against {against!r}: give one or more "
            "engines of different names, the baseline among them."
        )
    profile = resolve(profile)
    with ExitStack() as stack:
        runners = [_start(engine, profile, stack) for engine in engines]
        conditions = conditions_of(profile, runners[0].child.facts, host_conditions())
        if level is not None and level.conditions != conditions_key(conditions):
            level = None
        reference = None
        if level is not None:
            whole = profile.with_(lengths=()) if profile.lengths else profile
            named = next((each for each in built_in() if each.key == level.reference), built_in()[0])
            reference = _start(EngineToMeasure("reference", named.model), whole, stack)
        pids = tuple(runner.child.pid for runner in [*runners, *([reference] if reference else [])])
        before = load_now(pids)
        base = runners[names.index(against)]
        decide = decide and len(runners) > 1
        _rounds(runners, base, reference, profile, decide, np.random.default_rng(seed))
        after = load_now(pids)
        results = tuple(_result(runner, profile) for runner in runners)
        if reference is not None and level is not None:
            found = [runner.corrected(reference, level.level_ms) for runner in runners]
            results = tuple(
                replace(result, corrected_ms=middle, corrected_ci_ms=(low, high))
                for result, (middle, low, high) in zip(results, found, strict=True)
            )
    ratios = _ratios(runners, base, decide)
    warnings = list(machine_warnings(before, after))
    for result in results:
        half_width = (result.ci_ms[1] - result.ci_ms[0]) / 2 / result.median_ms
        own = sampling_warnings(result.samples_ms, half_width, profile)
        own += fallback_warnings(result.nodes, profile)
        warnings += [f"{result.name}: {text}" for text in own]
    return Comparison(results, tuple(ratios), conditions, tuple(warnings))


def _start(engine: EngineToMeasure, profile: Profile, stack: ExitStack) -> _Runner:
    child = start_child(profile)
    stack.callback(child.kill)
    parts = parts_of(profile)
    runner = _Runner(engine, child, 0.0, {}, [], [], [], [part.weight for part in parts], [[] for _ in parts])
    try:
        for part in parts:
            slot = f"{part.profile.length} tokens"
            spec = session_spec(engine.model, part.profile, engine.session, cache=cache_folder(profile))
            if spec.threads > 1:
                # Its idle threads would spin while another engine runs.
                spec = spec.with_entry("session.force_spinning_stop", "1")
            loaded = child.load(slot, engine.model, spec)
            run_ms = warm_up(child.run, slot, profile)
            runner.slots.append(slot)
            runner.settle.append(runs_to_settle(run_ms))
            runner.runs.append(runs_for(_BLOCK_MS, run_ms, 31))
            runner.first_run_ms = runner.first_run_ms or loaded["first_run_ms"]
            runner.nodes = loaded["nodes"]
    except TargetError as error:
        raise TargetError(f"{engine.name}: {error}") from None
    return runner


def _rounds(
    runners: list[_Runner],
    base: _Runner,
    reference: _Runner | None,
    profile: Profile,
    decide: bool,
    rng: np.random.Generator,
) -> None:
    """Rounds until precise, with enough samples for a p99, or decided; bounded by the profile."""
    spent_ms, look = 0.0, 0
    if reference is not None:
        reference.turn()
    for number in range(1, max(profile.max_runs, _MIN_ROUNDS) + 1):
        for index in rng.permutation(len(runners)):
            spent_ms += runners[index].turn()
        if reference is not None:
            spent_ms += reference.turn()
        if number < _MIN_ROUNDS:
            continue
        if spent_ms >= profile.max_seconds * 1e3 * (len(runners) + (reference is not None)):
            return
        samples = min(sum(runner.runs) for runner in runners) * number
        enough = decide or samples >= max(profile.min_runs, MIN_SAMPLES_P99)
        if enough and number >= look:
            if decide and all(ratio.is_decided for ratio in _ratios(runners, base, decide)):
                return
            if not decide and _precise(runners, base, profile.interval_precision):
                return
            look = number + (number // 2 if decide else max(number // 5, 2))


def _precise(runners: list[_Runner], base: _Runner, precision: float) -> bool:
    found = [runner.interval() for runner in runners]
    found += [runner.ratio_to(base, draws=200, coverage=0.95) for runner in runners if runner is not base]
    return all((high - low) / 2 <= precision * middle for middle, low, high in found)


def _ratios(runners: list[_Runner], base: _Runner, decide: bool) -> list[Ratio]:
    coverage = _AT_EACH_LOOK if decide else 0.95
    return [_ratio(runner, base, coverage) for runner in runners if runner is not base]


def _ratio(runner: _Runner, base: _Runner, coverage: float) -> Ratio:
    speedup, low, high = runner.ratio_to(base, coverage=coverage)
    return Ratio(runner.engine.name, base.engine.name, speedup, (low, high))


def _result(runner: _Runner, profile: Profile) -> EngineMeasurement:
    samples = [np.concatenate(blocks).tolist() for blocks in runner.blocks]
    median, low, high = runner.interval()
    model = runner.engine.model
    size = runner.engine.size_bytes
    if size is None:
        size = model.stat().st_size if isinstance(model, Path) else len(model)
    return EngineMeasurement(
        name=runner.engine.name,
        samples_ms=tuple(sample for part in samples for sample in part),
        median_ms=median,
        ci_ms=(low, high),
        p95_ms=mixed_percentile(samples, runner.weights, 95),
        p99_ms=mixed_percentile(samples, runner.weights, 99),
        p95_ci_ms=percentile_interval(runner.blocks, 95),
        p99_ci_ms=percentile_interval(runner.blocks, 99),
        throughput_per_s=profile.batch * 1e3 / median,
        first_run_ms=runner.first_run_ms,
        peak_memory_bytes=runner.child.peak_memory_bytes(),
        size_bytes=size,
        nodes=runner.nodes,
    )
