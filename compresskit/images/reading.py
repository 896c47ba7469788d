"""Images from paths, bytes, Pillow's own objects and arrays, in RGB and upright."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt

from compresskit.errors import DataError, EngineError, reason_of

Pixels = npt.NDArray[np.uint8]

_DEEP = ("I", "F", "I;16", "I;16B", "I;16L", "I;16N")
"""Pillow's modes of more than 8 bits: `convert` cuts their values off at 255."""


@dataclass(frozen=True)
class ImageFile:
    """An encoded image, such as a PNG: its bytes, or the file that holds them. `name`: for messages."""

    name: str
    content: bytes | None = None
    path: Path | None = None

    def read(self) -> bytes:
        """OSError where the file cannot be read."""
        if self.content is not None:
            return self.content
        assert self.path is not None
        return self.path.read_bytes()


def pillow() -> ModuleType:
    """The module `PIL.Image`. EngineError where Pillow is not installed."""
    try:
        from PIL import Image
    except ImportError:
        raise EngineError(
            "images need Pillow, which is not installed; pip install 'compresskit[images]'."
        ) from None
    return Image


def image_of(given: Any, name: str) -> Any:
    """A Pillow image in RGB of what a caller gives: a path, bytes, a Pillow image, or an array.

    Arrays are uint8, (height, width) or (height, width, 1, 3 or 4). An orientation in EXIF is applied. Raises
    DataError, with `name`, for anything else and for what does not decode.
    """
    image_module = pillow()
    try:
        if isinstance(given, (str, Path)):
            found = image_module.open(BytesIO(Path(given).read_bytes()))
        elif isinstance(given, ImageFile):
            found = image_module.open(BytesIO(given.read()))
        elif isinstance(given, (bytes, bytearray)):
            found = image_module.open(BytesIO(given))
        elif isinstance(given, np.ndarray):
            found = image_module.fromarray(_checked(given, name))
        elif isinstance(given, image_module.Image):
            found = given
        else:
            raise DataError(
                f"{name} is of type {type(given).__name__}; permitted: a path, bytes of a file, a Pillow "
                "image, or a uint8 array (height, width, channels)."
            )
        return _upright_rgb(found, name)
    except DataError:
        raise
    except Exception as error:  # Pillow's decoders raise many kinds
        raise DataError(f"{name} is not an image that can be read: {reason_of(error)}.") from None


def image_files(values: Any, split: str) -> list[ImageFile | None]:
    """Of a column of images as data sets store them: bytes, paths, or objects with `bytes` and `path`."""
    return [_image_file(value, f"row {number} of {split}") for number, value in enumerate(values, 1)]


def _image_file(value: Any, name: str) -> ImageFile | None:
    path = None
    if isinstance(value, Mapping):
        value, path = value.get("bytes"), value.get("path")
    if isinstance(value, (bytes, bytearray)):
        return ImageFile(f"{name} ({path})" if path else name, bytes(value))
    value = value or path
    return None if value is None else ImageFile(f"{name} ({value})", path=Path(str(value)))


def _checked(array: npt.NDArray[Any], name: str) -> npt.NDArray[Any]:
    channels = array.shape[2] if array.ndim == 3 else 1
    if array.dtype != np.uint8 or array.ndim not in (2, 3) or channels not in (1, 3, 4):
        raise DataError(
            f"{name} is an array of {array.dtype} with shape {array.shape}; permitted: uint8, (height, "
            "width) or (height, width, 1, 3 or 4)."
        )
    return array[..., 0] if array.ndim == 3 and channels == 1 else array


def _upright_rgb(image: Any, name: str) -> Any:
    from PIL.ImageOps import exif_transpose

    if image.mode in _DEEP:
        raise DataError(
            f"{name} has more than 8 bits a channel (mode {image.mode}); convert it to 8 bits: how its "
            "values are to be scaled is not known."
        )
    return exif_transpose(image).convert("RGB")
