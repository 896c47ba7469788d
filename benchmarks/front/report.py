"""What a benchmark of fronts leaves behind: tables and their cells beside this script, plots in `work`."""

from __future__ import annotations

from pathlib import Path

from benchmarks.front.cells import Results
from benchmarks.front.kept import CELLS, keep
from benchmarks.front.methods import DEFAULT
from benchmarks.front.plots import plot_compute, plot_task
from benchmarks.front.tables import compute_table, main_table, retention_table, size_table
from benchmarks.results import write_results

HERE = Path(__file__).parent
VOLUME = """\
Area above (1x, prior) that at most eight engines dominate. They are chosen on validation data. x is the
logarithm of the measured speed-up, at most 16 times; y is the test metric, 0 at the prior and 1 at dense.
In brackets: `{default}` against this method. "win" means that the 95 % interval of the difference, by a
paired bootstrap over test rows and seeds, is above 0. "quantile": the hypervolume of Klein et al. in test
error and latency."""
SPEED = """\
Test metric as a percentage of dense, for the engine that is best on validation data among those of at
least this speed-up; mean over seeds."""
PARAMETERS = """\
Best test metric among engines of at most this share of the dense model's parameters, embeddings
included; mean over seeds."""
COMPUTE = """\
Steps of the full network (32 rows) for the dense model, for training, and for scoring candidates; and
minutes. Mean over seeds."""


def report(name: str, results: Results, work: Path) -> None:
    """Write `name`: tables of areas, speeds, parameters and compute, and the cells that they are made of."""
    for task in results.tasks:
        plot_task(results, task, work / f"{name}-{task}.png")
    if results.cells:
        plot_compute(results, work / f"{name}-compute.png")
    missing = results.not_run()
    values = {
        "hypervolumes": results.to_json(),
        "processors": results.processors,
        "comparisons": results.comparisons(DEFAULT),
        "best_test_metric": results.best_at_sizes(),
        "not_run": missing,
        CELLS: keep(results, HERE / name),
    }
    measured = "; ".join(f"{task} on {', '.join(names)}" for task, names in results.processors.items())
    notes = VOLUME.format(default=DEFAULT) + (
        f"\n\nMeasured: {measured or 'nothing'}. Cells not run: {', '.join(missing) or 'none'}."
    )
    if former := results.without_fidelity():
        notes += f" Chosen by the metric alone, without fidelity: {', '.join(former)}."
    more = {
        "Speed": (SPEED, retention_table(results)),
        "Parameters": (PARAMETERS, size_table(results)),
        "Compute": (COMPUTE, compute_table(results)),
    }
    write_results(HERE, name, values, main_table(results, DEFAULT), notes, more)
