"""Picture of what an architecture keeps: one row a layer, its heads as cells, its units as a bar."""

from __future__ import annotations

from html import escape

from compresskit.architecture import Architecture, Layer

_WIDTH = 232
_LABEL = 20
_HEADS = 98
_GAP = 10
_ROW = 13


def layers_svg(architecture: Architecture) -> str:
    """Inline SVG, 232 wide, 13 high a layer; its label says the same in words."""
    rows = [_row(number, layer) for number, layer in enumerate(architecture.layers)]
    height = _ROW * len(rows)
    return (
        f'<svg viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}" role="img" '
        f'aria-label="{escape(describe(architecture))}">{"".join(rows)}</svg>'
    )


def describe(architecture: Architecture) -> str:
    """What is kept, in words: 'layer 0: 5 of 12 heads, 700 of 1536 units; layer 1: dropped'."""
    return "; ".join(
        f"layer {number}: dropped"
        if layer.is_dropped
        else f"layer {number}: {layer.heads.count} of {layer.heads.total} heads, "
        f"{layer.units.count} of {layer.units.total} units"
        for number, layer in enumerate(architecture.layers)
    )


def shorten(architecture: Architecture) -> str:
    """One line for a table: the heads and units of each layer, or of all where layers differ."""
    shapes = architecture.shapes
    kept = f"{len(shapes)} of {len(architecture.layers)} layers"
    if len(set(shapes)) == 1:
        heads, units = shapes[0]
        return f"{kept}: {_many(heads, 'head')}, {_many(units, 'unit')}"
    heads_total, units_total = sum(h for h, _ in shapes), sum(u for _, u in shapes)
    return f"{kept}: {_many(heads_total, 'head')}, {_many(units_total, 'unit')} in all"


def _many(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _row(number: int, layer: Layer) -> str:
    y = number * _ROW
    title = f"layer {number}: {layer.heads.count} heads, {layer.units.count} units"
    label = f'<text x="0" y="{y + 9}" style="font-size:10px">{number}</text>'
    heads, units = _heads(layer, y), _units(layer, y)
    return f"<g><title>{title}</title>{label}{heads}{units}</g>"


def _heads(layer: Layer, y: int) -> str:
    total, kept = layer.heads.total, set(layer.heads.indices)
    pitch = _HEADS / total
    gap = min(1.5, pitch / 4)
    return "".join(
        f'<rect class="{"kept-heads" if index in kept else "cut"}" x="{_LABEL + index * pitch:.2f}" '
        f'y="{y + 1}" width="{pitch - gap:.2f}" height="9"/>'
        for index in range(total)
    )


def _units(layer: Layer, y: int) -> str:
    left = _LABEL + _HEADS + _GAP
    width = _WIDTH - left
    kept = width * layer.units.count / layer.units.total if layer.units.total else 0.0
    return (
        f'<rect class="cut" x="{left}" y="{y + 1}" width="{width}" height="9"/>'
        f'<rect class="kept-units" x="{left}" y="{y + 1}" width="{kept:.2f}" height="9"/>'
    )
