from __future__ import annotations

import re
from xml.etree import ElementTree

from compresskit.architecture import Architecture, Layer
from compresskit.kept import Kept
from compresskit.report.layers import describe, layers_svg, shorten
from tests.report.runs import FULL, HALF, UNEVEN


def test_one_filled_cell_a_kept_head_and_one_bar_a_layer() -> None:
    root = ElementTree.fromstring(layers_svg(UNEVEN))
    cells = root.findall(".//rect[@class='kept-heads']")
    bars = root.findall(".//rect[@class='kept-units']")
    assert len(cells) == 4 + 0 + 0 + 1
    widths = [float(bar.attrib["width"]) for bar in bars]
    assert len(widths) == 4
    assert widths[0] > widths[1] > widths[2] == widths[3] == 0
    assert round(widths[1] / widths[0], 2) == round(7 / 64, 2)


def test_the_heads_that_stay_are_shown_in_their_places() -> None:
    chosen = Architecture((Layer(Kept.of(4, [1, 3]), Kept.first(8, 8)),))
    kinds = re.findall(
        r'class="(kept-heads|cut)" x="[\d.]+" y="1" width="[\d.]+" height="9"', layers_svg(chosen)
    )
    assert kinds[:4] == ["cut", "kept-heads", "cut", "kept-heads"]


def test_words_say_what_the_picture_shows() -> None:
    assert describe(HALF).startswith("layer 0: 2 of 4 heads, 32 of 64 units; layer 1: dropped;")
    assert 'aria-label="layer 0: 2 of 4 heads' in layers_svg(HALF)


def test_short_form() -> None:
    assert shorten(HALF) == "2 of 4 layers: 2 heads, 32 units"
    assert shorten(FULL) == "4 of 4 layers: 4 heads, 64 units"
    assert shorten(UNEVEN) == "3 of 4 layers: 5 heads, 71 units in all"
