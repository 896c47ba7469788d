"""Several engines side by side: each in a fresh process, in turn, in random order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace

import numpy as np

from compresskit.display import SILENT, Counter, Display
from compresskit.errors import ConfigurationError
from compresskit.target.comparison_result import Comparison, Ratio
from compresskit.target.decide import AT_EACH_LOOK, PATIENCE, Interval, Limit, Looks, all_decided
from compresskit.target.disturbance import Disturbance
from compresskit.target.host import host_conditions
from compresskit.target.load import load_now
from compresskit.target.loaded_references import built_in
from compresskit.target.local import conditions_of, resolve
from compresskit.target.profile import Profile
from compresskit.target.reference_level import Level, conditions_key
from compresskit.target.runner import EngineToMeasure, Runner
from compresskit.target.statistics import MIN_SAMPLES_P99, widened
from compresskit.target.warn import fallback_warnings, machine_warnings, sampling_warnings

_MIN_ROUNDS = 12


@dataclass(frozen=True)
class _Aim:
    """What rounds are for: the profile's precision, a decision between engines, or one on limits."""

    profile: Profile
    between_engines: bool
    limits: tuple[Limit, ...]

    @property
    def coverage(self) -> float:
        """Of intervals that are looked at again and again until they decide."""
        return AT_EACH_LOOK if self.between_engines or self.limits else 0.95

    def seconds(self, num_engines: int) -> float:
        return self.profile.max_seconds * num_engines * (PATIENCE if self.limits else 1.0)


def compare(
    engines: Sequence[EngineToMeasure],
    profile: Profile,
    baseline: str | None = None,
    *,
    level: Level | None = None,
    decide: bool = False,
    limits: Sequence[Limit] = (),
    seed: int = 0,
    display: Display = SILENT,
) -> Comparison:
    """Latency of each engine, and how many times faster each is than the one named `baseline`.

    One process works at a time while the others wait, and every round takes all in a new random order, so
    that drift meets all alike; the ratio's interval is bootstrapped over whole rounds. Without a
    `baseline` the first engine is it. Rounds go on until every median and ratio is known to the profile's
    precision, or its `max_seconds` an engine have passed. Rounds in which others used the machine are left
    out while enough remain. With the `level` of a search under the same conditions, the reference that it
    names is run between rounds and latencies corrected to it stand beside the raw ones.
    To `decide` between engines, rounds go on only until each ratio's interval leaves 1 out or lies within
    2 % of it; with `limits` until each is decided, up to three times as long. Intervals are then so wide
    that stopping there is allowed for.
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
    # A percentile under a mix of lengths has no interval to wait for.
    waited = [each for each in limits if not (profile.lengths and each.figure in ("p95", "p99"))]
    aim = _Aim(profile, decide and len(engines) > 1, tuple(waited))
    with ExitStack() as stack:
        runners = [Runner.start(engine, profile, stack) for engine in engines]
        conditions = conditions_of(profile, runners[0].child.facts, host_conditions())
        if level is not None and level.conditions != conditions_key(conditions):
            level = None
        reference = None
        if level is not None:
            whole = profile.with_(lengths=()) if profile.lengths else profile
            named = next((each for each in built_in() if each.key == level.reference), built_in()[0])
            reference = Runner.start(EngineToMeasure("reference", named.model), whole, stack)
        pids = tuple(runner.child.pid for runner in [*runners, *([reference] if reference else [])])
        before = load_now(pids)
        found = _Found(runners, runners[names.index(against)], aim)
        what = f"measuring {len(engines)} engines, at most"
        limit = aim.seconds(len(runners) + (reference is not None))
        with display.stage(what, limit, "s") as counter:
            found.measure(reference, np.random.default_rng(seed), counter)
        after = load_now(pids)
        seen = found.seen
        how = {"error": seen.single_error, "coverage": 0.95 if aim.between_engines else aim.coverage}
        results = tuple(runner.result(profile, seen.picked, seen.marks, **how) for runner in runners)
        if reference is not None and level is not None:
            corrected = [runner.corrected(reference, level.level_ms, seen.picked) for runner in runners]
            results = tuple(
                replace(result, corrected_ms=middle, corrected_ci_ms=(low, high))
                for result, (middle, low, high) in zip(results, corrected, strict=True)
            )
    warnings = [*seen.notes, *machine_warnings(before, after)]
    for result in results:
        half_width = (result.ci_ms[1] - result.ci_ms[0]) / 2 / result.median_ms
        own = sampling_warnings(result.samples_ms, half_width, profile)
        own += fallback_warnings(result.nodes, profile)
        warnings += [f"{result.name}: {text}" for text in own]
    return Comparison(results, tuple(found.ratios()), conditions, tuple(warnings), seen.marks)


@dataclass
class _Found:
    """What the rounds so far tell."""

    runners: list[Runner]
    base: Runner
    aim: _Aim

    def measure(self, reference: Runner | None, rng: np.random.Generator, counter: Counter) -> None:
        """Rounds until precise, with enough samples for a p99, or decided; bounded by the profile."""
        profile, decides = self.aim.profile, self.aim.between_engines
        spent_ms, look, looks = 0.0, 0, Looks()
        everyone = len(self.runners) + (reference is not None)
        if reference is not None:
            reference.turn()
        for number in range(1, max(profile.max_runs, _MIN_ROUNDS) + 1):
            before_ms = spent_ms
            for index in rng.permutation(len(self.runners)):
                spent_ms += self.runners[index].turn()
            if reference is not None:
                spent_ms += reference.turn()
            counter.advance((spent_ms - before_ms) / 1e3)
            counter.describe(f"round {number}")
            if number < _MIN_ROUNDS:
                continue
            if spent_ms >= self.aim.seconds(everyone) * 1e3:
                return
            if self.aim.limits:
                if looks.is_due(number) and all_decided(self.aim.limits, self._intervals):
                    return
                continue
            if number < look:
                continue
            if not decides:
                runs = min(runner.runs_a_round for runner in self.runners)
                asked = max(profile.min_runs, MIN_SAMPLES_P99)
                # Rounds that were left out do not count; which they are is asked only once all would do.
                if runs * number < asked or runs * len(self.seen.picked) < asked:
                    continue
            if all(ratio.is_decided for ratio in self.ratios()) if decides else self._precise():
                return
            look = number + (number // 2 if decides else max(number // 5, 2))

    @property
    def seen(self) -> Disturbance:
        return Disturbance.of(self.runners)

    def ratios(self) -> list[Ratio]:
        seen = self.seen
        return [self._ratio(runner, seen) for runner in self.runners if runner is not self.base]

    def _ratio(self, runner: Runner, seen: Disturbance) -> Ratio:
        coverage = self.aim.coverage
        found = runner.ratio_to(self.base, seen.picked, coverage=coverage, statistic=seen.statistic)
        if not self.aim.between_engines:  # which is the faster file is asked of these two processes alone
            found = widened(found, seen.common_error, coverage)
        speedup, low, high = found
        return Ratio(runner.engine.name, self.base.engine.name, speedup, (low, high), seen.marks)

    def _precise(self) -> bool:
        seen, precision = self.seen, self.aim.profile.interval_precision
        found = [runner.interval(seen.picked) for runner in self.runners]
        for runner in self.runners:
            if runner is not self.base:
                how = {"draws": 200, "coverage": 0.95, "statistic": seen.statistic}
                found.append(runner.ratio_to(self.base, seen.picked, **how))  # type: ignore[arg-type]
        return all((high - low) / 2 <= precision * middle for middle, low, high in found)

    def _intervals(self, figure: str, coverage: float) -> Iterable[Interval]:
        """Of `figure`, for each engine that a limit judges."""
        if figure == "speedup":
            return [ratio.ci for ratio in self.ratios()]
        seen = self.seen
        judged = [runner for runner in self.runners if runner is not self.base] or self.runners
        if figure == "p50":
            known = [runner.interval(seen.picked, coverage) for runner in judged]
            return [widened(each, seen.single_error, coverage)[1:] for each in known]
        percent = float(figure[1:])
        found = (runner.percentile_interval(seen.picked, percent, coverage) for runner in judged)
        return [ends or (0.0, np.inf) for ends in found]
