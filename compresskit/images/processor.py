"""A model's own preprocessing of images, by the settings of transformers' image processors."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from compresskit.errors import ConfigurationError
from compresskit.images.reading import Pixels, image_of

FILE_NAME = "preprocessor_config.json"
_CHANNELS = 3
# Settings of transformers' processors that would do more to an image than is done here.
_UNKNOWN = (
    "do_pad",
    "do_flip_channel_order",
    "do_reduce_labels",
    "do_affine_transform",
    "do_image_splitting",
)


@dataclass(frozen=True)
class ImageProcessor:
    """Resizes, crops and scales images as `settings` say, which are complete, as transformers writes them.

    `height` and `width`: of every result. `edge`: to which the shorter side is brought before the crop; None:
    the whole image is brought to `resized`, (height, width), or is left as it is where that is None too.
    """

    settings: Mapping[str, Any]
    height: int
    width: int
    edge: int | None
    resized: tuple[int, int] | None
    resample: int
    factor: npt.NDArray[np.float32]  # (3, 1, 1)
    offset: npt.NDArray[np.float32]  # (3, 1, 1)

    @classmethod
    def of(cls, settings: Mapping[str, Any], source: str) -> ImageProcessor:
        """ConfigurationError, naming `source`, for settings that are not known, or leave the size open."""
        for name in _UNKNOWN:
            if settings.get(name):
                raise _refused(source, f"{name} is {settings[name]!r}, which is not known here")
        size = settings.get("size") if settings.get("do_resize") else None
        crop = settings.get("crop_size") if settings.get("do_center_crop") else None
        try:
            resized = None if size is None or "height" not in size else (size["height"], size["width"])
            edge = None if size is None or resized else size["shortest_edge"]
            if size is not None and size.get("longest_edge"):
                raise KeyError("longest_edge")
            result = resized if crop is None else (crop["height"], crop["width"])
        except (KeyError, TypeError) as error:
            raise _refused(source, f"size {size} and crop_size {crop} are not known here ({error})") from None
        if result is None:
            raise _refused(
                source, "neither size nor crop_size gives height and width, so images differ in size"
            )
        scale = float(settings.get("rescale_factor", 1 / 255)) if settings.get("do_rescale") else 1.0
        mean, std = ([0.0] * _CHANNELS, [1.0] * _CHANNELS)
        if settings.get("do_normalize"):
            mean, std = settings["image_mean"], settings["image_std"]
        if len(mean) != _CHANNELS or len(std) != _CHANNELS or not all(std):
            raise _refused(source, f"image_mean {mean} and image_std {std} are not of three channels")
        factor = scale / np.asarray(std, np.float64)
        offset = -np.asarray(mean, np.float64) / np.asarray(std, np.float64)
        return cls(
            settings,
            *result,
            edge,
            resized,
            int(settings.get("resample", 2)),
            factor.astype(np.float32)[:, None, None],
            offset.astype(np.float32)[:, None, None],
        )

    def pixels(self, given: Any, name: str) -> Pixels:
        """(height, width, 3), resized and cropped. DataError, with `name`, for what is no image."""
        image = image_of(given, name)
        if self.edge is not None:
            short = min(image.size)
            image = image.resize([int(self.edge * side / short) for side in image.size], self.resample)
        elif self.resized is not None:
            image = image.resize(self.resized[::-1], self.resample)
        return _center(np.asarray(image, dtype=np.uint8), self.height, self.width)

    def scaled(self, pixels: Pixels) -> npt.NDArray[np.float32]:
        """(3, height, width), rescaled and normalized, of what `pixels` gave."""
        found: npt.NDArray[np.float32] = pixels.transpose(2, 0, 1) * self.factor + self.offset
        return found

    def save_pretrained(self, folder: Path) -> None:
        """Write the settings where every tool looks for them, as transformers' own processors do."""
        folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps(dict(self.settings), indent=2, sort_keys=True)
        (folder / FILE_NAME).write_text(text + "\n", encoding="utf-8")


def _center(pixels: Pixels, height: int, width: int) -> Pixels:
    """The middle of an image; what it lacks is black."""
    for axis, size in enumerate((height, width)):
        lacking = size - pixels.shape[axis]
        if lacking > 0:
            before = -(-lacking // 2)
            around: Sequence[tuple[int, int]] = [
                (before, lacking - before) if each == axis else (0, 0) for each in range(pixels.ndim)
            ]
            pixels = np.pad(pixels, around)
        start = (pixels.shape[axis] - size) // 2
        pixels = pixels.take(range(start, start + size), axis)
    return np.ascontiguousarray(pixels)


def _refused(source: str, why: str) -> ConfigurationError:
    return ConfigurationError(
        f"{FILE_NAME} of {source!r} cannot be followed: {why}. Give a processor that resizes or crops to one "
        "height and width, rescales, and normalizes three channels."
    )
