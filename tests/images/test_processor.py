from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from transformers.models.bit.image_processing_pil_bit import BitImageProcessorPil
from transformers.models.vit.image_processing_pil_vit import ViTImageProcessorPil

from compresskit.errors import ConfigurationError, DataError
from compresskit.images.processor import FILE_NAME, ImageProcessor
from tests.images.make import SETTINGS, picture, processor

CROPPED: dict[str, Any] = {
    "size": {"shortest_edge": 20},
    "do_center_crop": True,
    "crop_size": {"height": 18, "width": 22},
    "resample": 3,
    "image_mean": [0.485, 0.456, 0.406],
    "image_std": [0.229, 0.224, 0.225],
}


@pytest.mark.parametrize("size", [7, 20, 33, 64])
@pytest.mark.parametrize(
    ("settings", "theirs"), [({}, ViTImageProcessorPil), (CROPPED, BitImageProcessorPil)], ids=["vit", "bit"]
)
def test_images_are_as_transformers_makes_them(size: int, settings: dict[str, Any], theirs: Any) -> None:
    """Larger and smaller than the crop, which is filled up with black."""
    given, own = picture(size, size=size), processor(**settings)
    wanted = theirs(**{**SETTINGS, **settings})(Image.fromarray(given), return_tensors="np")["pixel_values"][
        0
    ]
    found = own.scaled(own.pixels(given, "it"))
    assert found.dtype == np.float32 and found.shape == (3, own.height, own.width)
    np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-5)


def test_settings_survive_in_a_folder(tmp_path: Path) -> None:
    processor(**CROPPED).save_pretrained(tmp_path)
    again = ViTImageProcessorPil.from_pretrained(tmp_path)
    assert again.crop_size["width"] == 22
    assert (tmp_path / FILE_NAME).is_file()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"do_pad": True}, "do_pad is True"),
        ({"size": {"shortest_edge": 20}}, "images differ in size"),
        ({"size": {"longest_edge": 20, "shortest_edge": 10}}, "longest_edge"),
        ({"image_mean": [0.5], "image_std": [0.5]}, "three channels"),
        ({"image_std": [0.5, 0.0, 0.5]}, "three channels"),
    ],
)
def test_what_is_not_known_is_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        ImageProcessor.of({**SETTINGS, **settings}, "a model")


def test_an_image_that_does_not_decode_is_named(tmp_path: Path) -> None:
    file = tmp_path / "cut.png"
    Image.fromarray(picture(0, size=64)).save(file)
    file.write_bytes(file.read_bytes()[:3000])
    with pytest.raises(DataError, match="the third is not an image that can be read"):
        processor().pixels(file, "the third")
