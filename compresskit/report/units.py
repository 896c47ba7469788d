"""Numbers as people read them, always with their unit. What was not measured is a dash."""

from __future__ import annotations

from collections.abc import Sequence
from math import floor, log10

NOTHING = "\N{EN DASH}"
MARK = "\N{DAGGER}"  # at a figure that is not to be trusted, since the machine was busy
TIMES = "\N{MULTIPLICATION SIGN}"


def number(value: float, digits: int = 3) -> str:
    """`value` to `digits` significant digits, never in scientific notation."""
    return f"{value:.{_places(value, digits)}f}"


def interval(pair: Sequence[float] | None, digits: int = 3) -> str:
    """Both ends with the decimals of the upper one, so that they can be compared at a glance."""
    if pair is None:
        return NOTHING
    places = _places(pair[1], digits)
    return f"{pair[0]:.{places}f}\N{EN DASH}{pair[1]:.{places}f}"


def marked(text: str, marks: Sequence[str]) -> str:
    """`text`, with the mark where there are reasons for one."""
    return f"{text} {MARK}" if marks else text


def milliseconds(value: float | None) -> str:
    return NOTHING if value is None else f"{number(value)} ms"


def points(metric: float | None) -> str:
    """A metric in points, that is times 100."""
    return NOTHING if metric is None else f"{metric * 100:.2f}"


def percent_interval(pair: Sequence[float] | None) -> str:
    """Both ends of a metric's interval in points, that is times 100."""
    return NOTHING if pair is None else f"{pair[0] * 100:.1f}\N{EN DASH}{pair[1] * 100:.1f}"


def signed_points(difference: float | None) -> str:
    if difference is None:
        return NOTHING
    text = f"{abs(difference) * 100:.2f}"
    if float(text) == 0:
        return "0.00"
    return ("\N{MINUS SIGN}" if difference < 0 else "+") + text


def signed_ends(pair: Sequence[float], places: int) -> str:
    """Both ends of an interval that may hold less than 0; what rounds to 0 has no sign."""
    low, high = (f"{round(end, places) or 0.0:.{places}f}".replace("-", "\N{MINUS SIGN}") for end in pair)
    return f"{low} to {high}"


def signed_percent(share: float) -> str:
    return ("\N{MINUS SIGN}" if share < 0 else "+") + f"{abs(share) * 100:.1f} %"


def times(ratio: float | None) -> str:
    return NOTHING if ratio is None else f"{ratio:.2f}{TIMES}"


def count(value: float | None) -> str:
    """22713984 as 22.7 M."""
    return NOTHING if value is None else _scaled(value, ("", "k", "M", "G", "T"), 1000)


def size(value: float | None) -> str:
    """A number of bytes as MB (10^6 bytes)."""
    return NOTHING if value is None else _scaled(value, ("B", "kB", "MB", "GB", "TB"), 1000)


def duration(seconds: float | None) -> str:
    if seconds is None:
        return NOTHING
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def metric_words(name: str) -> str:
    return name.replace("_", " ")


def metric_label(name: str | None) -> str:
    """Axis label of a metric: percent where it is a share of the texts, else points."""
    plain = metric_words(name or "metric")
    return f"{plain}, %" if name == "accuracy" else f"{plain} \N{MULTIPLICATION SIGN} 100"


def _places(value: float, digits: int) -> int:
    """Decimals with which `value`, once rounded, shows `digits` significant digits."""
    rounded = float(f"{value:.{digits}g}")
    return max(0, digits - 1 - floor(log10(abs(rounded)))) if rounded else 0


def _scaled(value: float, suffixes: Sequence[str], base: int) -> str:
    step = 0
    while abs(value) >= base * 0.9995 and step < len(suffixes) - 1:
        value /= base
        step += 1
    text = f"{value:.0f}" if step == 0 else number(value)
    return f"{text} {suffixes[step]}".rstrip()
