"""ViT, DeiT and DINOv2: images as patches, norms before each block. DINOv2 scales what a block adds."""

from __future__ import annotations

from typing import Any

from compresskit.errors import UnsupportedModelError
from compresskit.families.base import FIRST, KEY, QUERY, UP, VALUE, ZERO, ZERO_PAIR, Block, Family, Patches

_READS = {f"attention.{name}_proj": (part,) for name, part in (("q", QUERY), ("k", KEY), ("v", VALUE))}


def _family(
    model_type: str,
    layers: str,
    norms: tuple[str, str],
    special: int,
    scales: tuple[str, ...] = (),
    **others: Any,
) -> Family:
    behind = scales or norms
    return Family(
        model_type=model_type,
        stem=f"{model_type}.{layers}",
        attention=Block(
            reads=_READS,
            writes="attention.o_proj",
            owns=("attention.", f"{norms[0]}.", f"{behind[0]}."),
            empty={"attention": ZERO_PAIR, norms[0]: FIRST, behind[0]: FIRST},
            norm_before=norms[0],
        ),
        feed_forward=Block(
            reads={"mlp.fc1": (UP,)},
            writes="mlp.fc2",
            owns=("mlp.", f"{norms[1]}.", f"{behind[1]}."),
            empty={"mlp": ZERO, norms[1]: FIRST, behind[1]: FIRST},
            norm_before=norms[1],
        ),
        once_linears=("classifier",),
        inputs=("pixel_values",),
        patches=Patches(
            f"{model_type}.embeddings.patch_embeddings.projection",
            f"{model_type}.embeddings.position_embeddings",
            special,
        ),
        **others,
    )


def _units(config: Any) -> int:
    if config.use_swiglu_ffn:
        raise UnsupportedModelError("DINOv2 with gated units (use_swiglu_ffn) is not supported yet.")
    return int(config.hidden_size * config.mlp_ratio)


FAMILIES = (
    _family("vit", "layers", ("layernorm_before", "layernorm_after"), 1),
    _family("deit", "layers", ("layernorm_before", "layernorm_after"), 2),
    _family(
        "dinov2",
        "encoder.layer",
        ("norm1", "norm2"),
        1,
        ("layer_scale1", "layer_scale2"),
        num_units=_units,
        settings={"use_mask_token": False},
        unread=("dinov2.embeddings.mask_token",),
    ),
)
