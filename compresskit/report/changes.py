"""What changed against the dense model: answers of each point, its F1 by group, and examples."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

from compresskit.report.page import section, table
from compresskit.report.units import milliseconds, points
from compresskit.report.view import RunView
from compresskit.runs import FrontPoint

_FIRST_GROUPS, _MOST_GROUPS = 15, 200
_DEEPEST = 0.2  # a change of F1 from which a cell has the full colour
_MOST_LINES, _SHOWN_LINES = 5, 3  # of an answer; how many of more, which the other model does not have
_NAMES = {"input": "input", "right": "right answer", "dense": "dense model", "point": "this point"}


def changes_section(view: RunView, chosen: int | None) -> str:
    """HTML; nothing for a run without changes.json. The examples of point `chosen` are open."""
    known = view.changes
    shown = _shown(view)
    if known is None or not shown:
        return ""
    note = (
        f"How answers to {known['of']:,} validation {known['units']} differ from those of the dense model. "
        f"{known['right']}"
    )
    parts = [_legend(known), _bars(known, shown), _groups(known, shown), _examples(view, shown, chosen)]
    return section("What changed against the dense model", *parts, note=note.strip())


def changes_rows(view: RunView) -> tuple[list[str], list[list[str]]]:
    """Titles and cells of a table: of each point how many answers changed, by kind. No rows: not known."""
    if view.changes is None:
        return [], []
    head = ["point", f"of {view.changes['of']:,} {view.changes['units']}"]
    return [*head, *(name for name, _ in view.changes["kinds"])], [
        [str(point.idx), _share(sum(found["counts"]), view.changes["of"]), *map(str, found["counts"])]
        for point, found in _shown(view)
    ]


def _shown(view: RunView) -> list[tuple[FrontPoint, Mapping[str, Any]]]:
    found = (view.changes or {"points": {}})["points"]
    return [
        (point, found[str(point.trial_id)]) for point in view.front.points if str(point.trial_id) in found
    ]


def _legend(known: Mapping[str, Any]) -> str:
    keys = (
        f'<span style="--key:var(--{escape(tone)})">{escape(name)}</span>' for name, tone in known["kinds"]
    )
    return f'<div class="legend squares">{"".join(keys)}</div>'


def _bars(known: Mapping[str, Any], shown: Sequence[tuple[FrontPoint, Mapping[str, Any]]]) -> str:
    """Stacked bars; the longest fills the width."""
    full = max(sum(found["counts"]) for _, found in shown) or 1
    rows = []
    for point, found in shown:
        stack = "".join(
            f'<i style="width:{100 * count / full:.2f}%;background:var(--{escape(tone)})"></i>'
            for count, (_, tone) in zip(found["counts"], known["kinds"], strict=True)
        )
        said = "".join(
            f" \N{MIDDLE DOT} <span>{escape(name)}: {count:,}</span>"
            for count, (name, _) in zip(found["counts"], known["kinds"], strict=True)
            if count
        )
        changed = _share(sum(found["counts"]), known["of"])
        figures = f"{milliseconds(point.latency_ms)} \N{MIDDLE DOT} {points(point.metric)}"
        rows.append(
            f'<div class="bar-row"><div class="name">Point {point.idx} <small>{escape(figures)}</small></div>'
            f'<div class="track stack" aria-hidden="true">{stack}</div>'
            f'<div class="value"><b>{changed}</b> changed{said}</div></div>'
        )
    return f'<div class="bars">{"".join(rows)}</div>'


def _share(part: int, whole: int) -> str:
    return f"{100 * part / max(whole, 1):.1f} %"


def _groups(known: Mapping[str, Any], shown: Sequence[tuple[FrontPoint, Mapping[str, Any]]]) -> str:
    """F1 of each group, those first that lose most over all points."""
    if not known["groups"]:
        return ""
    head = [known["group"], "count", "dense", *(f"point {point.idx}" for point, _ in shown)]
    lines = []
    for place, (name, count, dense) in enumerate(known["groups"]):
        now = [found["f1"][place] for _, found in shown]
        cells = [escape(name), f"{count:,}", f"{100 * dense:.1f}", *(_cell(f1, f1 - dense) for f1 in now)]
        lines.append((sum(now) / len(now) - dense, cells))
    ranked = [("", cells) for _, cells in sorted(lines, key=lambda line: line[0])]
    title = f"F1 of each {known['group']}"
    note = (
        "Times 100; the small figure is the change. Those that lose most over all points stand first. A "
        "small count leaves much to chance: of 10, one more error is about 10 points."
    )
    inner = table(head, ranked[:_FIRST_GROUPS], name=title)
    if len(ranked) > _FIRST_GROUPS:
        rest = table(head, ranked[_FIRST_GROUPS:_MOST_GROUPS], name=title)
        more = min(len(ranked), _MOST_GROUPS) - _FIRST_GROUPS
        inner += f"<details><summary>{more:,} more</summary>{rest}</details>"
    return f'<h3>{escape(title)}</h3><p class="note">{escape(note)}</p><div class="heat">{inner}</div>'


def _cell(f1: float, change: float) -> str:
    depth = min(abs(change) / _DEEPEST, 1)
    tone = "worse" if change < 0 else "better"
    return (
        f'<span style="--tone:var(--{tone});--depth:{100 * depth:.0f}%">{100 * f1:.1f} '
        f"<small>{_signed(change)}</small></span>"
    )


def _signed(change: float) -> str:
    return f"{round(100 * change, 1) or 0:+.1f}".replace("-", "\N{MINUS SIGN}").replace("+0.0", "0.0")


def _examples(
    view: RunView, shown: Sequence[tuple[FrontPoint, Mapping[str, Any]]], chosen: int | None
) -> str:
    if view.examples is None:
        return ""
    parts = []
    for point, _ in shown:
        if found := view.examples.get(str(point.trial_id)):
            is_open = " open" if point.idx == chosen else ""
            cards = "".join(map(_card, found))
            parts.append(
                f"<details{is_open}><summary>Point {point.idx}</summary>"
                f'<div class="examples">{cards}</div></details>'
            )
    note = (
        "A few validation rows of each kind, drawn at random; of several lines those are bold, or shown "
        "alone, that the other model does not have. Anyone with this page can read them."
    )
    return f'<h3>Examples</h3><p class="note">{note}</p>{"".join(parts)}' if parts else ""


def _card(example: Mapping[str, Any]) -> str:
    return f'<div class="example"><p>{escape(example["change"])}</p><dl>{"".join(_lines(example))}</dl></div>'


def _lines(example: Mapping[str, Any]) -> Iterator[str]:
    others = {"dense": example["point"], "point": example["dense"]}
    for name, title in _NAMES.items():
        if name in example:
            lines = [example[name]] if name == "input" else example[name]
            told = _told(lines, others[name]) if name in others else map(escape, lines)
            yield f"<dt>{title}</dt><dd>{'<br>'.join(told)}</dd>"


def _told(lines: Sequence[str], other: Sequence[str]) -> list[str]:
    """Lines of an answer beside those of the other model, escaped; of many those that this one alone has."""
    own = [line for line in lines if line not in other]
    if len(lines) > _MOST_LINES:
        count = f"{len(lines) - len(own)} of {len(lines)} in both"
        return [*map(escape, own[:_SHOWN_LINES]), f"<small>{count}</small>"]
    if max(len(lines), len(other)) == 1:
        own = []
    return [f"<b>{escape(line)}</b>" if line in own else escape(line) for line in lines]
