"""A checkpoint's preprocessing of images, and the size that its positions are for."""

from __future__ import annotations

import copy
from typing import Any, NamedTuple

import torch
from torch import nn
from transformers import AutoImageProcessor

from compresskit.engine.export import sides_of
from compresskit.errors import ConfigurationError, UnsupportedModelError, reason_of
from compresskit.exhausted import is_out_of_memory
from compresskit.families import family_for
from compresskit.images.processor import FILE_NAME, ImageProcessor

_INTERPOLATE = "interpolate_pos_encoding"


class OpenProcessor(NamedTuple):
    processor: ImageProcessor
    notes: tuple[str, ...]


def open_image_processor(source: str, config: Any) -> OpenProcessor:
    """The processor of a model; `config` is told the size of its images.

    Raises ConfigurationError where there is none, or it does not fit the model.
    """
    try:
        settings = AutoImageProcessor.from_pretrained(source, backend="pil").to_dict()
    except Exception as error:  # whatever a damaged file leads to
        if is_out_of_memory(error):
            raise
        raise ConfigurationError(
            f"model {source!r} has no image processor that loads ({reason_of(error)}); put the {FILE_NAME} "
            "of the model that it was made from beside its config.json."
        ) from error
    if config.num_channels != 3:
        raise UnsupportedModelError(
            f"model {source!r} reads images of {config.num_channels} channels; permitted: 3."
        )
    processor = ImageProcessor.of(settings, source)
    patch, sides = config.patch_size, (processor.height, processor.width)
    if any(side % patch for side in sides):
        raise ConfigurationError(
            f"the processor of model {source!r} makes images of {sides[0]} by {sides[1]}, which patches of "
            f"{patch} do not fill; change crop_size or size in {FILE_NAME}."
        )
    before = sides_of(config)
    if sides == before:
        return OpenProcessor(processor, ())
    config.image_size = sides[0] if sides[0] == sides[1] else list(sides)
    sizes = [f"{height} by {width}" for height, width in (before, sides)]
    note = f"its positions, for images of {sizes[0]}, are interpolated for {sizes[1]}"
    return OpenProcessor(processor, (note,))


def of_stored_size(config: Any, size: Any) -> Any:
    """A copy of a configuration for weights whose positions are for images of `size`; None: as it is."""
    config = copy.deepcopy(config)
    if size is not None:
        config.image_size = size
    return config


@torch.no_grad()
def fit_positions(model: nn.Module, size: Any) -> None:
    """Interpolate the positions of a model for images of `size`, in place, as its own code does.

    ConfigurationError where it has no code for that.
    """
    config: Any = model.config
    patches = family_for(config.model_type).patches
    if patches is None or config.image_size == size:
        return
    config.image_size = size
    owner_name, _, name = patches.positions.rpartition(".")
    owner: Any = model.get_submodule(owner_name)
    if not hasattr(owner, _INTERPOLATE):
        raise ConfigurationError(
            f"positions of a {config.model_type} model are for one size of images; give a processor of it."
        )
    height, width = sides_of(config)
    tokens = (height // config.patch_size) * (width // config.patch_size) + patches.special
    stands_for = torch.empty(1, tokens, getattr(owner, name).shape[-1])
    found = getattr(owner, _INTERPOLATE)(stands_for, height, width)
    setattr(owner, name, nn.Parameter(found.detach().clone()))
    for part in owner.modules():
        if hasattr(part, "image_size"):
            part.image_size = (height, width)
        if hasattr(part, "num_patches"):
            part.num_patches = tokens - patches.special
