from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn
from transformers import (
    DeiTConfig,
    DeiTForImageClassification,
    Dinov2Config,
    Dinov2ForImageClassification,
    ViTConfig,
    ViTForImageClassification,
)

from compresskit.errors import UnsupportedModelError
from compresskit.families import dimensions_of, family_for
from tests.contracts.family import HEADS, HIDDEN, LAYERS, UNITS
from tests.contracts.image_family import PATCH, SIDE, ImageFamilyContract

SIZES: dict[str, Any] = {
    "num_hidden_layers": LAYERS,
    "num_attention_heads": HEADS,
    "hidden_size": HIDDEN,
    "image_size": SIDE,
    "patch_size": PATCH,
    "num_labels": 3,
}


class TestViT(ImageFamilyContract):
    def make_model(self) -> nn.Module:
        return ViTForImageClassification(ViTConfig(**SIZES, intermediate_size=UNITS))  # type: ignore[no-any-return]


@pytest.mark.slow
class TestDeiT(ImageFamilyContract):
    def make_model(self) -> nn.Module:
        return DeiTForImageClassification(DeiTConfig(**SIZES, intermediate_size=UNITS))  # type: ignore[no-any-return]


@pytest.mark.slow
class TestDinov2(ImageFamilyContract):
    """What each block adds is scaled; the head reads all tokens."""

    units = HIDDEN

    def make_model(self) -> nn.Module:
        config = Dinov2Config(**SIZES, mlp_ratio=1, use_mask_token=False)
        return Dinov2ForImageClassification(config)  # type: ignore[no-any-return]


def test_stages_are_those_of_the_layers_that_stay() -> None:
    config = Dinov2Config(**SIZES)
    family_for(config.model_type).set_layers(config, [0, 3])
    assert Dinov2Config.from_dict(config.to_dict()).stage_names == ["stem", "stage1", "stage2"]
    torch.manual_seed(0)
    assert Dinov2ForImageClassification(config).config.num_hidden_layers == 2


def test_gated_units_are_refused_by_name() -> None:
    with pytest.raises(UnsupportedModelError, match="use_swiglu_ffn"):
        dimensions_of(Dinov2Config(**SIZES, use_swiglu_ffn=True))
