"""What spoils a measurement, each with its remedy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from compresskit.target.load import Load, foreign_cores
from compresskit.target.profile import PROVIDERS, Profile
from compresskit.target.series import Series
from compresskit.target.statistics import MIN_SAMPLES_P95, MIN_SAMPLES_P99

_SCATTER = 0.10
_FOREIGN_CORES = 0.2
_DRIFT = 0.05
_CLOCK_DROP = 0.10
MOST_HALF_WIDTH = 0.10  # of an interval, beyond which a figure decides nothing


def sampling_warnings(
    samples_ms: Sequence[float], half_width: float, profile: Profile, *, first_look: bool = False
) -> list[str]:
    """Scatter, an interval wider than asked for, percentiles that the samples are too few for.

    A first look is short on purpose: there the last two are no fault.
    """
    found = []
    scatter = float(np.std(samples_ms) / np.mean(samples_ms))
    if scatter > _SCATTER:
        found.append(
            f"latencies scatter by {scatter:.0%} (coefficient of variation): close other programs, set the "
            "performance governor, or pin the process with `cores` in the profile."
        )
    if first_look:
        return found
    if half_width > profile.interval_precision:
        found.append(
            f"the 95 % interval of the median is +-{half_width:.1%}, wider than "
            f"{profile.interval_precision:.1%}: raise max_seconds or max_runs in the profile, or quiet the "
            "machine."
        )
    for name, fewest in (("p95", MIN_SAMPLES_P95), ("p99", MIN_SAMPLES_P99)):
        if len(samples_ms) < fewest:
            found.append(
                f"{len(samples_ms)} samples are too few for a {name} ({fewest} needed): "
                f"set min_runs = {fewest} in the profile."
            )
    return found


def busy_marks(series: Series) -> list[str]:
    """Why a latency is not to be trusted: time that others took is in it, and nothing tells how much."""
    found = []
    if series.met.by_means:
        taken = series.met.share_taken
        much = "time" if taken is None else f"{taken:.0%} of the time"
        found.append(f"other programs took {much} from the runs, and the clock counts it")
    found += series.marks
    _, low, high = series.corrected_interval()
    if (half_width := (high - low) / (high + low)) > MOST_HALF_WIDTH:
        found.append(f"the 95 % interval is +-{half_width:.0%}")
    return found


def machine_warnings(before: Load, after: Load) -> list[str]:
    """Foreign load and a clock that fell."""
    found = []
    foreign = foreign_cores(before, after)
    if foreign is not None and foreign > _FOREIGN_CORES:
        found.append(
            f"other processes kept {foreign:.1f} cores busy: stop them, or measure when the machine is idle."
        )
    if before.clock_mhz and after.clock_mhz and after.clock_mhz < before.clock_mhz * (1 - _CLOCK_DROP):
        found.append(
            f"the clock fell from {before.clock_mhz:.0f} to {after.clock_mhz:.0f} MHz (throttling): "
            "improve cooling, or fix the clock with the performance governor."
        )
    return found


def drift_warnings(reference_ms: Sequence[float], level_ms: float) -> list[str]:
    """The reference away from its level (medians of its legs in time order)."""
    third = max(len(reference_ms) // 3, 1)
    first, last = float(np.median(reference_ms[:third])), float(np.median(reference_ms[-third:]))
    away = float(np.median(reference_ms)) / level_ms - 1
    remedy = "let the machine cool and idle, then measure again"
    if abs(away) > _DRIFT:
        word = "slower" if away > 0 else "faster"
        return [
            f"the reference ran {abs(away):.0%} {word} than its level of {level_ms:.3f} ms (throttling or "
            "load, now or when the level was taken); the corrected latency allows for it, but "
            f"{remedy}."
        ]
    if len(reference_ms) >= 6 and abs(last / first - 1) > _DRIFT:
        return [
            f"the reference drifted by {last / first - 1:+.0%} during the measurement (throttling or load); "
            f"{remedy}."
        ]
    return []


def fallback_warnings(nodes: Mapping[str, int], profile: Profile) -> list[str]:
    """Nodes that silently ran elsewhere than on the profile's provider."""
    wanted = PROVIDERS[profile.provider]
    fallen = {name: count for name, count in nodes.items() if name != wanted}
    if not fallen:
        return []
    where = ", ".join(f"{count} on {name}" for name, count in sorted(fallen.items()))
    return [
        f"of {sum(nodes.values())} nodes {where}, not on {wanted}: export the unfused graph, or another "
        "opset or precision that this provider takes whole."
    ]
