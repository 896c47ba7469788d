"""The model types that compresskit prunes."""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any

from compresskit.architecture import Dimensions
from compresskit.errors import UnsupportedModelError, one_of
from compresskit.families.base import Family
from compresskit.families.blueprint import Blueprint, Projection


def _described() -> Iterator[Family]:
    """Of every file of this folder, those that it lists as `FAMILIES`."""
    for item in pkgutil.iter_modules(__path__):
        yield from getattr(import_module(f"{__name__}.{item.name}"), "FAMILIES", ())


FAMILIES: dict[str, Family] = {family.model_type: family for family in _described()}


def family_for(model_type: str) -> Family:
    """The family of a transformers model type; UnsupportedModelError lists those that exist."""
    try:
        return FAMILIES[model_type]
    except KeyError:
        raise UnsupportedModelError(
            one_of("model type", model_type, FAMILIES) + " Give --model a checkpoint of one of these types."
        ) from None


def dimensions_of(config: Any) -> Dimensions:
    """Sizes of the encoder of a transformers configuration, by Optimum's normalized names."""
    from optimum.utils import NormalizedConfigManager

    family = family_for(config.model_type)
    sizes = NormalizedConfigManager.get_normalized_config_class(config.model_type)(config)
    # Optimum has no name for the feed-forward width; DistilBERT alone departs from the usual one.
    units = getattr(config, "hidden_dim", None) or config.intermediate_size
    return Dimensions(
        num_layers=sizes.num_layers,
        num_heads=sizes.num_attention_heads,
        head_size=sizes.hidden_size // sizes.num_attention_heads,
        num_units=units,
        hidden_size=sizes.hidden_size,
        head_parts=sum(map(len, family.attention.reads.values())) + 1,
        unit_parts=sum(map(len, family.feed_forward.reads.values())) + 1,
    )


def blueprint_from_json(value: Mapping[str, Any]) -> Blueprint:
    shapes = {name: tuple(shape) for name, shape in value["shapes"].items()}
    return Blueprint(family_for(value["model_type"]), Dimensions.from_json(value["dims"]), shapes)


__all__ = [
    "FAMILIES",
    "Blueprint",
    "Family",
    "Projection",
    "blueprint_from_json",
    "dimensions_of",
    "family_for",
]
