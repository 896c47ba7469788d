"""Small images, and folders of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image
from torch import nn
from transformers import ViTConfig, ViTForImageClassification, set_seed

from compresskit.images.processor import ImageProcessor

SIDE = 16
COLOURS = {"blue": (40, 60, 200), "green": (40, 200, 60), "red": (200, 60, 40)}
SETTINGS: dict[str, Any] = {
    "image_processor_type": "ViTImageProcessor",
    "do_resize": True,
    "size": {"height": SIDE, "width": SIDE},
    "resample": 2,
    "do_rescale": True,
    "rescale_factor": 1 / 255,
    "do_normalize": True,
    "image_mean": [0.5, 0.5, 0.5],
    "image_std": [0.5, 0.5, 0.5],
}


def processor(**settings: Any) -> ImageProcessor:
    return ImageProcessor.of({**SETTINGS, **settings}, "a model")


def picture(seed: int, colour: tuple[int, int, int] = (90, 90, 90), size: int = 24) -> npt.NDArray[np.uint8]:
    """(size, size + 4, 3), noise of one colour."""
    noise = np.random.default_rng(seed).integers(-40, 40, (size, size + 4, 3))
    return np.clip(np.asarray(colour) + noise, 0, 255).astype(np.uint8)


def write_folder(folder: Path, count: int, split: str = "") -> Path:
    """`count` images below one subfolder a class."""
    for number in range(count):
        name = list(COLOURS)[number % len(COLOURS)]
        place = folder / split / name
        place.mkdir(parents=True, exist_ok=True)
        seed = number + 1000 * len(split)
        Image.fromarray(picture(seed, COLOURS[name])).save(place / f"{number}.png")
    return folder


def image_model(num_labels: int = 3) -> nn.Module:
    """A tiny ViT with a random head."""
    set_seed(0)
    config = ViTConfig(
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=16,
        image_size=SIDE,
        patch_size=8,
        num_labels=num_labels,
        initializer_range=0.3,
    )
    return ViTForImageClassification(config).eval()  # type: ignore[no-any-return]


def save_checkpoint(folder: Path, *, has_head: bool = True) -> Path:
    """A model with a processor, as a user has them."""
    model: Any = image_model()
    model.config.id2label = dict(enumerate(COLOURS))
    model.config.label2id = {name: i for i, name in enumerate(COLOURS)}
    (model if has_head else model.vit).save_pretrained(folder)
    processor().save_pretrained(folder)
    return folder
