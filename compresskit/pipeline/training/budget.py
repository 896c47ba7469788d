"""What methods may spend on training, in optimizer steps of the full network."""

from __future__ import annotations

from dataclasses import replace

from compresskit.families import Blueprint
from compresskit.pipeline.settings import SearchSettings
from compresskit.pipeline.training.strategy import strategy_for
from compresskit.spaces import make_space
from compresskit.training.cost import mean_step_cost
from compresskit.training.strategies import Strategy


def full_step_budget(settings: SearchSettings, blueprint: Blueprint, steps: int) -> float:
    """Full steps that `nas` spends on its super-network in `steps` steps, all of its settings at defaults.

    A method other than `nas` may spend as much, whatever its own steps cost.
    """
    default = SearchSettings
    plain = replace(
        settings,
        method=default.method,
        space=default.space,
        strategy=default.strategy,
        num_random=default.num_random,
    )
    space = make_space(
        plain.space,
        blueprint.dims,
        layer_policy=default.layer_policy,
        unit_multiple=settings.unit_multiple,
    )
    return steps * mean_step_cost(strategy_for(plain, space), blueprint, settings.seed)


def epochs_for(
    full_steps: float, strategy: Strategy, blueprint: Blueprint, rows: int, batch_size: int, seed: int = 0
) -> float:
    """Epochs of `rows` rows in which steps of `strategy` cost `full_steps`."""
    steps = full_steps / mean_step_cost(strategy, blueprint, seed)
    return steps / -(-rows // batch_size)
