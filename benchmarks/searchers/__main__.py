"""Searchers on the super-network of a finished run: what their first 20, 40 and 60 trials dominate.

    python -m benchmarks.searchers --run RUN --work WORK [--seeds 20]

A grid over space `ranked` is scored once on the rows of a search, and scores between its places are read
off it; latency is what an additive model says that was fitted to the run's measurements. So thousands of
searches cost nothing. Scores are kept in `--work`; a cut-off run goes on.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.finished import FinishedRun
from benchmarks.results import write_results
from benchmarks.searchers.scores import Scores, fitted_latency, scored_grid
from compresskit.architecture import Architecture
from compresskit.searchers import make_objectives, make_searcher
from compresskit.searchers.factory import SEARCHERS
from compresskit.searchers.proposals import GapSearcher
from compresskit.training.stages import quick_score

OBJECTIVES = make_objectives(("metric", "latency_ms"))
CHECKED = (20, 40, 60)
SLOW = ("ehvi", "bo-linear", "bo-random")  # a fit each trial
SLOW_SEEDS = 3
PROPOSALS = (4, 16)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--places", type=int, default=16, help="numbers of heads, and of units, in the grid")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--searchers", nargs="+", default=list(SEARCHERS), choices=list(SEARCHERS))
    options = parser.parse_args()
    finished = FinishedRun(options.run, "a comparison of searchers")
    task, space = finished.task, finished.space("ranked")
    file = options.work / f"{task.name}-{options.places}.jsonl"
    with finished.stage() as stage:
        metrics = scored_grid(finished.supernet, stage, space, options.places, file)
        dense = quick_score(finished.dense(), stage)
    scores = Scores(space, metrics, fitted_latency(finished.run), task.prior(task.search), dense)
    table = [["searcher", "seeds", *(f"{count} trials (worst)" for count in CHECKED)]]
    found: dict[str, Any] = {}
    searches = [(name, 1) for name in options.searchers]
    for name, proposals in [*searches, *(("local-search", count) for count in PROPOSALS)]:
        seeds = min(options.seeds, SLOW_SEEDS) if name in SLOW else options.seeds
        areas = np.array([search_areas(name, proposals, seed, scores) for seed in range(seeds)])
        title = name if proposals == 1 else f"{name}, {proposals} proposals"
        found[title] = areas.tolist()
        figures = zip(areas.mean(0), areas.min(0), strict=True)
        table.append([title, str(seeds), *(f"{mean:.3f} ({worst:.3f})" for mean, worst in figures)])
        print(*table[-1], sep="\t", flush=True)
    grid = [space.decode(config) for config in space.enumerate_configs() if any(config.values())]
    best = scores.area(grid)
    table.append([f"all {len(grid)}", "", *[f"{best:.3f}"] * len(CHECKED)])
    write_results(
        Path(__file__).parent,
        task.name,
        {"areas": found, "all": best, "dense": dense, "prior": scores.prior},
        table,
        f"Searchers on one super-network of {task.name}, space ranked: area above the prior that the trials "
        "dominate, x the log of the speed-up over the full network, at most 16 times; mean over seeds, and "
        f"the worst of them. Metric on the rows of a search, read off a grid of {options.places} by "
        f"{options.places}; latency as predicted from the run's measurements.",
    )


def search_areas(name: str, proposals: int, seed: int, scores: Scores) -> list[float]:
    """The dominated area after each number of trials in CHECKED."""
    searcher = make_searcher(name, scores.space, OBJECTIVES, seed)
    if proposals > 1:
        searcher = GapSearcher(searcher, proposals)
    tried: list[Architecture] = []
    for trial in range(max(CHECKED)):
        config = searcher.ask()
        assert config is not None
        tried.append(scores.space.decode(config))
        searcher.tell(trial, config, scores.objectives(tried[-1]))
    return [scores.area(tried[:count]) for count in CHECKED]


if __name__ == "__main__":
    main()
