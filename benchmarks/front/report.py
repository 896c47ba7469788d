"""What a benchmark of fronts leaves behind: JSON, Markdown and pictures beside this script."""

from __future__ import annotations

from pathlib import Path

from benchmarks.front.cells import Results
from benchmarks.front.methods import DEFAULT
from benchmarks.front.plots import plot_compute, plot_task
from benchmarks.front.tables import compute_table, main_table, retention_table, size_table
from benchmarks.results import write_results

HERE = Path(__file__).parent
VOLUME = """\
Dominated area above (1x, prior) of a few engines, chosen on validation: x is the log of the measured
speed-up, at most 16 times, y the test metric from the prior (0) to dense (1). In brackets what
`{default}` does against it: a win is a 95 % interval, by a paired bootstrap over test rows and seeds,
that excludes 0. Then the quantile hypervolume of Klein et al. in test error and latency."""
SPEED = """\
Test metric relative to dense, of the engine that is best on validation among those at least so many
times faster; mean over seeds."""
PARAMETERS = """\
Best test metric among engines of at most this share of the dense model's parameters, embeddings
included; mean over seeds."""
COMPUTE = """\
What a cell took: full-step equivalents (32 rows) of the dense model, of training, and of scoring
candidates; and minutes. Mean over seeds."""


def report(name: str, results: Results) -> None:
    """Write `name`, its tables of speed, parameters and compute, and the cells that they are made of."""
    results.keep(HERE / f"{name}-cells")
    for task in results.tasks:
        plot_task(results, task, HERE / f"{name}-{task}.png")
    if results.cells:
        plot_compute(results, HERE / f"{name}-compute.png")
    missing = results.not_run()
    values = {
        "hypervolumes": results.to_json(),
        "processors": results.processors,
        "comparisons": results.comparisons(DEFAULT),
        "not_run": missing,
    }
    measured = "; ".join(f"{task} on {', '.join(names)}" for task, names in results.processors.items())
    notes = VOLUME.format(default=DEFAULT) + (
        f"\n\nMeasured: {measured or 'nothing'}. Cells not run: {', '.join(missing) or 'none'}."
    )
    if former := results.without_fidelity():
        notes += f" Chosen by the metric alone, without fidelity: {', '.join(former)}."
    write_results(HERE, name, values, main_table(results, DEFAULT), notes)
    write_results(HERE, f"{name}_speed", {}, retention_table(results), SPEED)
    sizes = {"best_test_metric": results.best_at_sizes()}
    write_results(HERE, f"{name}_parameters", sizes, size_table(results), PARAMETERS)
    write_results(HERE, f"{name}_compute", {}, compute_table(results), COMPUTE)
