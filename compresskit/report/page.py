"""One self-contained HTML page: template, style, scripts and data in a single file."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from html import escape
from importlib.resources import files
from string import Template
from typing import Any

from compresskit import __version__


def embed_json(value: Any) -> str:
    """`value` as JSON that is safe inside a script element: no tag or comment can begin in it."""
    text = json.dumps(value, allow_nan=False, separators=(",", ":"), ensure_ascii=False)
    for sign in "<>&\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text


def build_page(title: str, body: str, data: Any, scripts: Sequence[str]) -> str:
    """The whole page. `body` is HTML already escaped; `scripts` name files in templates/."""
    return Template(_template("page.html")).substitute(
        title=escape(title),
        style=_template("style.css").strip(),
        body=body,
        version=__version__,
        data=embed_json(data),
        script="\n".join(_template(name).strip() for name in scripts),
    )


def table(
    head: Sequence[str],
    rows: Iterable[tuple[str, Sequence[str]]],
    *,
    name: str,
    wrapped: Sequence[int] = (),
) -> str:
    """A table that scrolls sideways on a narrow screen.

    `rows` are (class, cells), cells already escaped; columns in `wrapped` hold text that may break.
    """
    titles = "".join(
        f'<th scope="col"{_class(i, wrapped)}>{escape(cell)}</th>' for i, cell in enumerate(head)
    )
    lines = []
    for kind, cells in rows:
        inner = "".join(f"<td{_class(i, wrapped)}>{cell}</td>" for i, cell in enumerate(cells))
        lines.append(f'<tr class="{escape(kind)}">{inner}</tr>' if kind else f"<tr>{inner}</tr>")
    return (
        f'<div class="scroll" role="region" tabindex="0" aria-label="{escape(name)}"><table>'
        f"<thead><tr>{titles}</tr></thead><tbody>{''.join(lines)}</tbody></table></div>"
    )


def facts(pairs: Iterable[tuple[str, str]]) -> str:
    """A list of names and values; both are escaped here."""
    items = "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in pairs)
    return f'<dl class="facts">{items}</dl>'


def section(title: str, *parts: str, note: str = "") -> str:
    lead = f'<p class="note">{escape(note)}</p>' if note else ""
    return f"<section><h2>{escape(title)}</h2>{lead}{''.join(parts)}</section>"


def warnings_section(warnings: Sequence[str], title: str = "Warnings") -> str:
    """A list of remarks under `title`; nothing where there are none."""
    if not warnings:
        return ""
    items = "".join(f"<li>{escape(text)}</li>" for text in warnings)
    return section(title, f'<ul class="warnings">{items}</ul>')


def flatten(value: Any, prefix: str = "") -> Iterable[tuple[str, str]]:
    """Nested conditions as (name, text) pairs; what is None or empty is left out."""
    if isinstance(value, dict):
        for key, item in value.items():
            plain = str(key).replace("_", " ")
            yield from flatten(item, f"{prefix}, {plain}" if prefix else plain)
    elif isinstance(value, (list, tuple)):
        if value:
            yield prefix, ", ".join(_plain(item) for item in value)
    elif value is not None and value != "":
        yield prefix, _plain(value)


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return "; ".join(f"{name} {text}" for name, text in flatten(value))
    return str(value)


def _class(column: int, wrapped: Sequence[int]) -> str:
    return ' class="text wrap"' if column in wrapped else ""


def _template(name: str) -> str:
    return (files("compresskit.report") / "templates" / name).read_text(encoding="utf-8")
