from __future__ import annotations

import sys
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from compresskit.errors import DataError, EngineError
from compresskit.images.reading import ImageFile, image_files, image_of
from tests.images.make import picture


def encoded(image: Any, **options: Any) -> bytes:
    out = BytesIO()
    image.save(out, "PNG", **options)
    return out.getvalue()


def test_every_form_gives_the_same_image(tmp_path: Path) -> None:
    array = picture(1)
    image = Image.fromarray(array)
    data = encoded(image)
    (tmp_path / "a.png").write_bytes(data)
    path = tmp_path / "a.png"
    for given in (array, image, data, path, str(path), ImageFile("x", data), ImageFile("x", path=path)):
        np.testing.assert_array_equal(np.asarray(image_of(given, "it")), array)


@pytest.mark.parametrize("mode", ["L", "RGBA", "P", "LA", "1", "CMYK"])
def test_other_modes_become_rgb(mode: str) -> None:
    image = image_of(Image.fromarray(picture(2)).convert(mode), "it")
    assert image.mode == "RGB" and image.size == (28, 24)


def test_an_orientation_is_applied() -> None:
    image = Image.fromarray(picture(3))
    exif = image.getexif()
    exif[0x0112] = 6  # to be turned by a quarter
    assert image_of(encoded(image, exif=exif), "it").size == (24, 28)


@pytest.mark.parametrize("mode", ["I;16", "F"])
def test_more_than_8_bits_are_refused(mode: str) -> None:
    with pytest.raises(DataError, match=f"it has more than 8 bits a channel .mode {mode}."):
        image_of(Image.new(mode, (4, 4)), "it")


@pytest.mark.parametrize("given", [np.zeros((4, 4, 2), np.uint8), np.zeros((4, 4, 3), np.float32), 5, None])
def test_other_things_are_refused(given: Any) -> None:
    with pytest.raises(DataError, match="permitted"):
        image_of(given, "it")


def test_columns_of_data_sets_are_read() -> None:
    values = [{"bytes": b"x", "path": "a.png"}, {"bytes": None, "path": "b.png"}, "c.png", b"y", None, {}]
    found = image_files(values, "train")
    assert [None if each is None else each.name for each in found] == [
        "row 1 of train (a.png)",
        "row 2 of train (b.png)",
        "row 3 of train (c.png)",
        "row 4 of train",
        None,
        None,
    ]


def test_pillow_is_asked_for_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(EngineError, match=r"compresskit\[images\]"):
        image_of(b"x", "it")
