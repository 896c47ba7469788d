"""What engines keep of the dense engine's metrics on test rows, and a table of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy.typing as npt

from compresskit.tasks.examples import Examples
from compresskit.tasks.intervals import intervals, row_groups
from compresskit.tasks.judge import Judge


def judge(
    kinds: Sequence[Judge], test: Examples, answers: Mapping[str, npt.NDArray[Any]]
) -> dict[str, dict[str, Any]]:
    """By model and metric, one of each kind, the score and the share of the first model's that is kept.

    Intervals of the share are paired, over groups of rows with a text in common.
    """
    found: dict[str, dict[str, Any]] = {name: {} for name in answers}
    dense = next(iter(answers))
    groups = row_groups(test.texts, kinds[0].unit)
    for kind in kinds:
        scores = {name: kind.score_answers(each, test.labels) for name, each in answers.items()}
        known = intervals(kind, test.labels, list(answers.values()), dense=answers[dense], groups=groups)
        for (name, score), each in zip(scores.items(), known, strict=True):
            assert each.difference_ci is not None
            kept = [1 + (name != dense) * end / scores[dense] for end in each.difference_ci]
            share = {"kept": score / scores[dense], "kept_ci": kept}
            found[name][kind.metric_name] = {"score": score, "score_ci": each.metric_ci, **share}
    return found


def table(
    engines: Mapping[str, Mapping[str, Any]],
    bench: Mapping[str, Any],
    metrics: Sequence[str],
    further: Sequence[str] = (),
) -> list[list[str]]:
    """Engines by name, with what they keep, their speed-up, what `judge` found, and `further` fractions."""
    ratios = {Path(ratio["engine"]).name: ratio for ratio in bench["ratios"]}
    columns = [column for metric in metrics for column in (f"{metric} x 100", "kept, %", "95 %")]
    rows = [["engine", "keeps", "speed-up", *further, *columns]]
    for name, row in engines.items():
        ratio = ratios.get(name)
        speed = "1" if ratio is None else "{:.2f} ({:.2f} to {:.2f})".format(ratio["speedup"], *ratio["ci"])
        cells = [name, row["signature"], speed, *(f"{row[each]:.4f}" for each in further)]
        for metric in metrics:
            ends = "{:.1f} to {:.1f}".format(*(100 * end for end in row[metric]["kept_ci"]))
            cells += [f"{100 * row[metric]['score']:.2f}", f"{100 * row[metric]['kept']:.1f}", ends]
        rows.append(cells)
    return rows
