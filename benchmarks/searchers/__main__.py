"""Searchers on the super-network of a finished run: what their first 20, 40 and 60 trials dominate.

    python -m benchmarks.searchers --run RUN --work WORK [--seeds 20]

Every architecture of space `small`, in coarse steps of units, is scored once on the rows of a search;
its latency is what an additive model says that was fitted to the run's measurements, so that thousands
of searches cost nothing. Scores are kept in `--work`; a cut-off run goes on.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.finished import FinishedRun
from benchmarks.front.score import dominated_area
from benchmarks.results import write_results
from compresskit.runs.directory import RunDirectory
from compresskit.runs.jsonl import append_record, read_records
from compresskit.search import make_objectives, make_searcher
from compresskit.search.additive import AdditiveLatency
from compresskit.search.factory import SEARCHERS
from compresskit.search.proposals import GapSearcher
from compresskit.spaces import Space
from compresskit.supernet.network import SuperNetwork
from compresskit.training.stages import Stage, quick_score

OBJECTIVES = make_objectives(("metric", "latency_ms"))
CHECKED = (20, 40, 60)
SLOW = ("ehvi", "bo-linear", "bo-random")  # a fit each trial
SLOW_SEEDS = 3


@dataclass(frozen=True)
class Scores:
    """Metric and milliseconds of every architecture, by signature; metrics of the prior and of dense."""

    metrics: Mapping[str, float]
    latencies_ms: Mapping[str, float]
    prior: float
    dense: float

    def objectives(self, signature: str) -> tuple[float, float]:
        return 1 - self.metrics[signature], self.latencies_ms[signature]

    def area(self, signatures: Sequence[str]) -> float:
        """What these dominate; the slowest of all is the dense network."""
        slowest = max(self.latencies_ms.values())
        speedups = [slowest / self.latencies_ms[each] for each in signatures]
        return dominated_area(speedups, [self.metrics[each] for each in signatures], self.prior, self.dense)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--multiple", type=int, default=96, help="step of units")
    parser.add_argument("--seeds", type=int, default=20)
    options = parser.parse_args()
    finished = FinishedRun(options.run, "a comparison of searchers")
    task, space = finished.task, finished.space("small", options.multiple)
    with finished.stage() as stage:
        dense = quick_score(finished.dense(), stage)
        metrics = scored(
            finished.supernet, stage, space, options.work / f"{task.name}-{options.multiple}.jsonl"
        )
    scores = Scores(metrics, predicted(finished.run, space), task.prior(task.search), dense)
    table = [["searcher", "seeds", *(f"{count} trials (worst)" for count in CHECKED)]]
    found: dict[str, Any] = {}
    for name, proposals in [*((name, 1) for name in SEARCHERS), ("local-search", 4)]:
        count = min(options.seeds, SLOW_SEEDS) if name in SLOW else options.seeds
        areas = np.array([search_areas(name, proposals, space, seed, scores) for seed in range(count)])
        title = name if proposals == 1 else f"{name}, {proposals} proposals"
        found[title] = areas.tolist()
        figures = zip(areas.mean(0), areas.min(0), strict=True)
        table.append([title, str(count), *(f"{mean:.3f} ({worst:.3f})" for mean, worst in figures)])
    best = scores.area(list(metrics))
    table.append([f"all {len(metrics)}", "", *[f"{best:.3f}"] * len(CHECKED)])
    write_results(
        Path(__file__).parent,
        task.name,
        {"areas": found, "all": best, "dense": dense, "prior": scores.prior},
        table,
        f"Searchers on one super-network of {task.name}, space small in steps of {options.multiple} units: "
        "area above the prior that the trials dominate, x the log of the speed-up over dense, at most 16 "
        "times; mean over seeds, and the worst of them. Metric on the rows of a search; latency as predicted "
        "from the run's measurements.",
    )


def scored(supernet: SuperNetwork, stage: Stage, space: Space, file: Path) -> dict[str, float]:
    """Metric by signature of every architecture of the space."""
    file.parent.mkdir(parents=True, exist_ok=True)
    known = {str(record["signature"]): float(record["metric"]) for record in read_records(file)[0]}
    for config in space.enumerate_configs():
        architecture = space.decode(config)
        if architecture.signature not in known:
            known[architecture.signature] = quick_score(supernet, stage, architecture)
            append_record(
                file, {"signature": architecture.signature, "metric": known[architecture.signature]}
            )
    return known


def predicted(run: RunDirectory, space: Space) -> dict[str, float]:
    """Milliseconds by signature, from the latencies that the run's own trials were measured at."""
    measured = [trial for trial in run.trials() if trial.latency_ms is not None]
    model = AdditiveLatency.fit(
        [trial.candidate.architecture.shapes for trial in measured],
        [trial.latency_ms for trial in measured if trial.latency_ms is not None],
    )
    assert model is not None, "the run has too few trials to predict latencies from"
    architectures = [space.decode(config) for config in space.enumerate_configs()]
    return {each.signature: max(model.predict_ms(each.shapes), 1e-3) for each in architectures}


def search_areas(name: str, proposals: int, space: Space, seed: int, scores: Scores) -> list[float]:
    """The dominated area after each number of trials in CHECKED."""
    searcher = make_searcher(name, space, OBJECTIVES, seed)
    if proposals > 1:
        searcher = GapSearcher(searcher, proposals)
    told: list[str] = []
    for trial in range(max(CHECKED)):
        config = searcher.ask()
        assert config is not None
        told.append(space.decode(config).signature)
        searcher.tell(trial, config, scores.objectives(told[-1]))
    return [scores.area(told[:count]) for count in CHECKED]


if __name__ == "__main__":
    main()
