"""One sentence that says whether pruning helps on the device, and no more than the figures allow."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from compresskit.report.loss import ALLOWED, TOO_MUCH, Loss, loss_on_test, loss_on_validation
from compresskit.report.speed import WORTHWHILE, describe_interval, is_faster, says_times, speed_of
from compresskit.report.units import metric_words, milliseconds
from compresskit.runs import Front, FrontPoint, RunDirectory

ROUNDING = 1e-7


@dataclass(frozen=True)
class Verdict:
    """`idx` is the point that the verdict rests on.

    `kind`: helps, little, costs, none; undecided where intervals or a busy machine leave it open; baseline
    where the dense model is no better than the majority baseline; infeasible; unfinished; unknown.
    """

    kind: str
    headline: str
    detail: str
    idx: int | None = None

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def judge(front: Front, info: Mapping[str, Any] | None = None) -> Verdict:
    """The verdict on a front; `info` is what run.json says beside it.

    A point is faster where the whole interval of its speed-up lies above 1. It is praised where it loses at
    most one point of metric x 100 and its interval rules a loss of three points out. Points are chosen by
    validation rows; of the chosen one test rows decide, where they are known and enough.
    """
    info = info or {}
    dense, found = front.dense, [point for point in front.points if point.latency_ms is not None]
    if dense is None or dense.latency_ms is None:
        return Verdict("unknown", "No verdict: the dense model was not measured.", "Let the search finish.")
    if not found:
        return Verdict("unknown", "No verdict: no sub-network was measured.", "Let the search finish.")
    if weak := _weak_dense(dense, info.get("prior_metric"), named=bool(info.get("labels", True))):
        return weak
    if info.get("infeasible"):
        return Verdict(
            "infeasible", "No point keeps what the search was asked for.", _sentence(str(info["infeasible"]))
        )
    whole = (dense.signature, dense.precision)
    smaller = [point for point in found if (point.signature, point.precision) != whole]
    faster = [point for point in smaller if is_faster(point, dense)]
    return _judge_faster(faster, dense) if faster else _not_faster(smaller or found, dense)


def not_ended(run: RunDirectory, has_front: bool) -> Verdict:
    """In place of a verdict where the search has not ended; one with a front was prolonged."""
    trials, wanted = len(run.trials()), run.settings.get("trials")
    done = f"{trials} of {wanted} trials" if wanted else f"{trials} trials"
    known = "The front is that of before the search was prolonged."
    if not has_front:
        known = (
            "Metrics are of the rows that a search scores on, latencies of one short look. Once it ends, "
            "points are scored on all validation rows and measured beside the dense model."
        )
    return Verdict(
        "unfinished",
        f"The search has not ended: {done}.",
        f"{known} Go on with: compresskit search --resume --output {shlex.quote(str(run.path))}",
    )


def _weak_dense(dense: FrontPoint, prior: float | None, *, named: bool) -> Verdict | None:
    """`named`: whether answers are classes with names."""
    if prior is None or dense.metric is None:
        return None
    counted = "" if dense.rows is None else f", on {dense.rows:,} validation rows"
    baseline = "majority baseline" if named else "constant baseline"
    figures = (
        f"The dense model's {metric_words(dense.metric_name)} is {_score(dense)}, that of the {baseline} "
        f"{'' if named else '(the same answer to every row) '}is {100 * prior:.2f}{counted}."
    )
    suspected = (
        "the names and the order of the labels in the checkpoint's config.json with those of the data"
        if named
        else "the task, tokenizer and text columns of the checkpoint with those of the search"
    )
    remedy = f"Faster models cannot be judged by it. Compare {suspected}, or train the dense model longer."
    if dense.metric <= prior:
        return Verdict(
            "baseline",
            f"No verdict: the dense model is no better than the {baseline}.",
            f"{figures} {remedy}",
        )
    if dense.metric_ci is not None and dense.metric_ci[0] <= prior:
        return Verdict(
            "undecided",
            f"Not decided: the dense model was not shown to be better than the {baseline}.",
            f"{figures} {remedy}",
        )
    return None


def _not_faster(smaller: Sequence[FrontPoint], dense: FrontPoint) -> Verdict:
    fastest = min(smaller, key=_latency)
    detail = (
        f"The fastest sub-network takes {milliseconds(fastest.latency_ms)} (95 % interval "
        f"{describe_interval(fastest)}), the dense model {milliseconds(dense.latency_ms)} "
        f"({describe_interval(dense)})."
    )
    if marks := _marks(fastest, dense):
        return _busy(marks, detail, None)
    speed = speed_of(fastest, dense)
    if speed is not None and speed.ci[1] >= WORTHWHILE:
        return Verdict(
            "undecided", "Not decided: no speed-up was shown, and none was ruled out.", f"{detail} Bench it."
        )
    return Verdict(
        "none",
        "Pruning does not help on this device.",
        f"No sub-network was measured to be faster than the dense model. {detail} Use the dense model here.",
    )


def _judge_faster(faster: Sequence[FrontPoint], dense: FrontPoint) -> Verdict:
    losses = {point.idx: loss for point in faster if (loss := loss_on_validation(point, dense))}
    scored = [point for point in faster if point.idx in losses]
    if not scored:
        quickest = min(faster, key=_latency)
        return Verdict(
            "unknown",
            "No verdict: no metric was recorded.",
            f"Point {quickest.idx} is {says_times(quickest, dense)} as fast, at an unknown loss.",
            quickest.idx,
        )
    within = [point for point in scored if losses[point.idx].points <= ALLOWED + ROUNDING]
    sound = [point for point in within if losses[point.idx].is_ruled_out] or within
    trusted = [point for point in sound if not point.marks] or sound
    if not within:
        mildest = min(scored, key=lambda point: losses[point.idx].points)
        return _weigh(mildest, dense, _describe(mildest, dense))
    best = min(trusted, key=_latency)
    detail = _describe(best, dense)
    further = [point for point in scored if losses[point.idx].points <= TOO_MUCH + ROUNDING]
    bolder = min((point for point in further if not point.marks), key=_latency, default=best)
    if _latency(bolder) < _latency(best):
        detail += f" Where three points may be lost: {_lowered(_describe(bolder, dense))}"
    return _weigh(best, dense, detail)


def _weigh(point: FrontPoint, dense: FrontPoint, detail: str) -> Verdict:
    """The verdict that rests on `point`: on test rows, where they are known and enough to decide."""
    asked = [loss for loss in (loss_on_test(point), loss_on_validation(point, dense)) if loss is not None]
    loss = next((loss for loss in asked if loss.is_ruled_out or loss.is_shown), asked[-1])
    if marks := _marks(point, dense):
        return _busy(marks, detail, point.idx)
    if loss.ci is None:
        return Verdict(
            "undecided",
            "Not decided: how well the loss is known was not recorded.",
            f"{detail} The run is older than these intervals: continue it with --resume to add them.",
            point.idx,
        )
    if not loss.is_ruled_out and not loss.is_shown:
        return _too_few(loss, detail, point.idx)
    what = f"{says_times(point, dense)} as fast, {loss}."
    if loss.points > ALLOWED + ROUNDING:
        return Verdict("costs", f"Pruning is faster on this device, at a cost: {what}", detail, point.idx)
    speed = speed_of(point, dense)
    if speed is not None and speed.times < WORTHWHILE:
        return Verdict("little", f"Pruning helps little on this device: {what}", detail, point.idx)
    return Verdict("helps", f"Pruning helps on this device: {what}", detail, point.idx)


def _too_few(loss: Loss, detail: str, idx: int | None) -> Verdict:
    return Verdict(
        "undecided",
        f"Not decided: {loss.counted} can show losses of {loss.resolution:.0f} points at best.",
        f"{detail} More labelled rows decide it.",
        idx,
    )


def _busy(marks: Sequence[str], detail: str, idx: int | None) -> Verdict:
    return Verdict(
        "undecided",
        "Not decided: the machine was busy when this was measured.",
        f"{_sentence('; '.join(marks))} {detail} Measure again on a quiet machine.",
        idx,
    )


def _marks(*points: FrontPoint) -> list[str]:
    return list(dict.fromkeys(mark for point in points for mark in point.marks))


def _describe(point: FrontPoint, dense: FrontPoint) -> str:
    speed = speed_of(point, dense)
    told = (
        f"Point {point.idx} takes {milliseconds(point.latency_ms)}, the dense model "
        f"{milliseconds(dense.latency_ms)}"
    )
    if speed is not None:
        told += f" (95 % interval of the speed-up {speed.ci[0]:.2f} to {speed.ci[1]:.2f})"
    told += f"; {metric_words(point.metric_name)} is {_score(point)} against {_score(dense)}"
    if loss := loss_on_validation(point, dense):
        told += f": {loss}"
    if tested := loss_on_test(point):
        assert point.test is not None and point.test.dense_metric is not None
        told += (
            f"; on the test set {100 * point.test.metric:.2f} against "
            f"{100 * point.test.dense_metric:.2f}: {tested}"
        )
    return told + "."


def _score(point: FrontPoint) -> str:
    """The validation metric in points, with its interval where it is known."""
    text = f"{100 * (point.metric or 0.0):.2f}"
    if point.metric_ci is None:
        return text
    low, high = point.metric_ci
    return f"{text} ({100 * low:.1f} to {100 * high:.1f})"


def _latency(point: FrontPoint) -> float:
    assert point.latency_ms is not None
    return point.latency_ms


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:].removesuffix('.')}."


def _lowered(text: str) -> str:
    return text[:1].lower() + text[1:]
