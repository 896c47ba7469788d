"""What a bench result says in words, shared by HTML, Markdown and the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Any

from compresskit.report.units import MARK, TIMES, marked


def engine_names(result: Mapping[str, Any]) -> list[str]:
    """The shortest end of each path that tells the engines apart."""
    paths = [PurePath(str(engine["path"])) for engine in result["engines"]]
    longest = max((len(path.parts) for path in paths), default=1)
    for depth in range(1, longest + 1):
        names = ["/".join(path.parts[-depth:]) for path in paths]
        if len(set(names)) == len(set(paths)):
            return names
    return [str(path) for path in paths]


def ratio_of(result: Mapping[str, Any], path: object) -> Mapping[str, Any] | None:
    """The ratio of one engine to the baseline, where there is one."""
    return next((ratio for ratio in result.get("ratios") or () if ratio["engine"] == path), None)


def shows_no_difference(ratio: Mapping[str, Any]) -> bool:
    """Whether the interval of the ratio includes 1."""
    low, high = ratio["ci"]
    return bool(low <= 1.0 <= high)


def marks_of(result: Mapping[str, Any], holder: Mapping[str, Any]) -> list[str]:
    """Why the figures of an engine or a ratio are not to be trusted: its own reasons and those of all."""
    return list(dict.fromkeys((*result.get("marks", ()), *holder.get("marks", ()))))


def mark_lines(result: Mapping[str, Any]) -> list[str]:
    """Each reason once, with what it holds for; empty where all figures can be trusted."""
    names: dict[object, str] = {
        engine["path"]: name for engine, name in zip(result["engines"], engine_names(result), strict=True)
    }
    lines = [f"all figures: {reason}" for reason in result.get("marks", ())]
    for engine in result["engines"]:
        lines += [f"{names[engine['path']]}: {reason}" for reason in engine.get("marks", ())]
    for ratio in result.get("ratios") or ():
        engine, baseline = (names.get(ratio[side], ratio[side]) for side in ("engine", "baseline"))
        lines += [f"{engine} against {baseline}: {reason}" for reason in ratio.get("marks", ())]
    return lines


def headline(result: Mapping[str, Any]) -> str:
    """What the ratios come to, in one sentence, and whether the machine was too busy to trust it."""
    text = _of_ratios(result)
    if not mark_lines(result):
        return text
    return f"{text} The machine was busy: figures with {MARK} are not to be trusted."


def _of_ratios(result: Mapping[str, Any]) -> str:
    names = dict(zip((engine["path"] for engine in result["engines"]), engine_names(result), strict=True))
    ratios = result.get("ratios") or ()
    shown = [ratio for ratio in ratios if not shows_no_difference(ratio)]
    if not ratios:
        return "No baseline to compare with."
    baseline = names.get(ratios[0]["baseline"], ratios[0]["baseline"])
    if not shown:
        return f"No difference from {baseline} was shown."
    best = max(shown, key=lambda ratio: float(ratio["speedup"]))
    name = names.get(best["engine"], best["engine"])
    if best["speedup"] < 1:
        return f"Nothing is faster than {baseline}."
    return f"{name} is {best['speedup']:.2f}{TIMES} as fast as {baseline}."


def describe_ratio(ratio: Mapping[str, Any], marks: Sequence[str] = ()) -> str:
    """The ratio with both ends of its interval, or that no difference was shown; marked for its `marks`."""
    low, high = ratio["ci"]
    ends = f"{low:.2f}\N{EN DASH}{high:.2f}"
    if shows_no_difference(ratio):
        return marked(f"no difference shown ({ends}{TIMES})", marks)
    return marked(f"{ratio['speedup']:.2f}{TIMES} ({ends})", marks)
