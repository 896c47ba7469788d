"""The model types that compresskit prunes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from compresskit.architecture import Dimensions
from compresskit.errors import UnsupportedModelError
from compresskit.families.base import Family
from compresskit.families.blueprint import Blueprint, Projection
from compresskit.families.registry import families, family_for


def dimensions_of(config: Any) -> Dimensions:
    """Sizes of the encoder of a transformers configuration, by the names that its attribute map serves.

    Where queries share keys and values, a head is such a group: a key, a value, and all of their queries.
    UnsupportedModelError for a model of a kind that its family does not know.
    """
    family = family_for(config.model_type)
    _check(family, config)
    # Of the feed-forward width no attribute map knows; DistilBERT alone departs from the usual name.
    told = getattr(config, "hidden_dim", None) if family.num_units is None else family.num_units(config)
    units = told or config.intermediate_size
    queries = config.num_attention_heads
    groups = getattr(config, "num_key_value_heads", None) or queries
    return Dimensions(
        num_layers=config.num_hidden_layers,
        num_heads=groups,
        head_size=getattr(config, "head_dim", None) or config.hidden_size // queries,
        num_units=units,
        hidden_size=config.hidden_size,
        head_parts=sum(map(len, family.attention.reads.values())) + 1 + 2 * (queries // groups - 1),
        unit_parts=sum(map(len, family.feed_forward.reads.values())) + 1,
    )


def _check(family: Family, config: Any) -> None:
    for name, value in family.needs.items():
        found = getattr(config, name, value)
        if found != value:
            raise UnsupportedModelError(
                f"{family.model_type} models with {name}={found!r} are not supported; permitted: {value!r}."
            )


def blueprint_from_json(value: Mapping[str, Any]) -> Blueprint:
    shapes = {name: tuple(shape) for name, shape in value["shapes"].items()}
    return Blueprint(family_for(value["model_type"]), Dimensions.from_json(value["dims"]), shapes)


__all__ = [
    "Blueprint",
    "Family",
    "Projection",
    "blueprint_from_json",
    "dimensions_of",
    "families",
    "family_for",
]
