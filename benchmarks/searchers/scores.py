"""What every architecture of space `ranked` scores and takes: a grid of scores, read between its places."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.interpolate import RegularGridInterpolator

from benchmarks.front.score import dominated_area
from compresskit.architecture import Architecture
from compresskit.runs.directory import RunDirectory
from compresskit.runs.jsonl import append_record, read_records
from compresskit.searchers.additive import AdditiveLatency
from compresskit.spaces import Space
from compresskit.supernet.network import SuperNetwork
from compresskit.training.stages import Stage, quick_score


@dataclass(frozen=True)
class Scores:
    """Metric and milliseconds of any architecture of the space; metrics of the prior and of dense.

    The metric is read off the grid linearly in the logarithms of one plus heads and groups of units.
    """

    space: Space
    metrics: RegularGridInterpolator
    latency: AdditiveLatency
    prior: float
    dense: float

    def objectives(self, architecture: Architecture) -> tuple[float, float]:
        """Error as a fraction, latency in ms."""
        config = self.space.encode(architecture)
        place = np.log1p([config["heads"], config["units"] // self.space.unit_multiple])
        return 1 - self.metrics(place).item(), max(self.latency.predict_ms(architecture.shapes), 1e-3)

    def area(self, tried: Sequence[Architecture]) -> float:
        """What these dominate above the prior, against the full network's latency."""
        slowest = self.objectives(self.space.full)[1]
        errors, latencies = zip(*map(self.objectives, tried), strict=True)
        speedups = [slowest / latency for latency in latencies]
        return dominated_area(speedups, [1 - error for error in errors], self.prior, self.dense)


def scored_grid(
    supernet: SuperNetwork, stage: Stage, space: Space, places: int, file: Path
) -> RegularGridInterpolator:
    """Metrics on the rows of a search at `places` numbers of heads by as many of units, kept in `file`."""
    file.parent.mkdir(parents=True, exist_ok=True)
    known = {(r["heads"], r["units"]): float(r["metric"]) for r in read_records(file)[0]}
    heads, units = (spread(parameter.count - 1, places) for parameter in space.parameters)
    for number in heads:
        for groups in units:
            place = number, groups * space.unit_multiple
            if place == (0, 0) or place in known:
                continue
            config = dict(zip(("heads", "units"), place, strict=True))
            known[place] = quick_score(supernet, stage, space.decode(config))
            append_record(file, {**config, "metric": known[place]})
    known[0, 0] = min(known.values())  # no network; read only from between its neighbours
    values = [[known[number, groups * space.unit_multiple] for groups in units] for number in heads]
    return RegularGridInterpolator((np.log1p(heads), np.log1p(units)), np.array(values))


def spread(most: int, places: int) -> list[int]:
    """Whole numbers from 0 to `most`, evenly far apart in the logarithm of one more than they are."""
    return sorted({round(float(np.expm1(each))) for each in np.linspace(0, np.log1p(most), places)})


def fitted_latency(run: RunDirectory) -> AdditiveLatency:
    """Milliseconds from the latencies that the run's own trials were measured at."""
    measured = [trial for trial in run.trials() if trial.latency_ms is not None]
    model = AdditiveLatency.fit(
        [trial.candidate.architecture.shapes for trial in measured],
        [trial.latency_ms for trial in measured if trial.latency_ms is not None],
    )
    assert model is not None, "the run has too few trials to predict latencies from"
    return model
