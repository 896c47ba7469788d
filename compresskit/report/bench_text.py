"""What a bench result says in words, shared by HTML, Markdown and the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from compresskit.report.units import TIMES


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


def headline(result: Mapping[str, Any]) -> str:
    """What the ratios come to, in one sentence."""
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


def describe_ratio(ratio: Mapping[str, Any]) -> str:
    """The ratio with both ends of its interval, or that no difference was shown."""
    low, high = ratio["ci"]
    ends = f"{low:.2f}\N{EN DASH}{high:.2f}"
    if shows_no_difference(ratio):
        return f"no difference shown ({ends}{TIMES})"
    return f"{ratio['speedup']:.2f}{TIMES} ({ends})"
