"""Which weight matrices of an encoder are pruned in blocks, and how each is asked to be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from compresskit.blocks import Partition
from compresskit.errors import ConfigurationError, one_of
from compresskit.families import Blueprint
from compresskit.families.base import HEADS, UNITS

# Names of matrix groups -> members, and whether they are read or written; embeddings and the head stay dense.
_MODULES = {"qkv": (HEADS, True), "out": (HEADS, False), "up": (UNITS, True), "down": (UNITS, False)}
MATRIX_GROUPS = tuple(_MODULES)


@dataclass(frozen=True, slots=True)
class GroupSetting:
    """How one group of matrices is pruned: cut by `partition`, to 1 / `rate` of its weights.

    Raises ConfigurationError for a rate below 1.
    """

    partition: Partition
    rate: float

    def __post_init__(self) -> None:
        if not self.rate >= 1:
            raise ConfigurationError(f"compression rate {self.rate} of a matrix; permitted: 1 and above.")


BlockSetting = Mapping[str, GroupSetting]
"""Setting of each matrix group that is pruned; a group that is left out stays dense."""


def modules_of(blueprint: Blueprint, group: str) -> tuple[str, ...]:
    """Names of all modules of a matrix group, layer by layer. Raises ConfigurationError for no group."""
    if group not in _MODULES:
        raise ConfigurationError(one_of("matrix group", group, MATRIX_GROUPS))
    return tuple(
        each.module
        for layer in range(blueprint.dims.num_layers)
        for each in blueprint.projections(layer)
        if (each.kind, each.reads) == _MODULES[group]
    )


def partitions_of(blueprint: Blueprint, setting: BlockSetting) -> dict[str, Partition]:
    """The partition of each module that `setting` prunes."""
    return {
        module: setting[group].partition
        for group in MATRIX_GROUPS
        if group in setting
        for module in modules_of(blueprint, group)
    }
