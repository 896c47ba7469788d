"""What methods may spend on training, in optimizer steps of the full network, and how it is shared out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from compresskit.families import Blueprint
from compresskit.pipeline.settings import SearchSettings
from compresskit.pipeline.training.strategy import strategy_for
from compresskit.spaces import make_space
from compresskit.training.cost import mean_step_cost
from compresskit.training.strategies import Strategy

# A network of a 28th of MiniLM's multiply-accumulates is about 18 times as fast: much else takes time.
LARGEST, SMALLEST = 0.85, 1 / 28


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


def ladder(count: int, least: float = 0.0) -> list[float]:
    """`count` target sizes as shares of the dense multiply-accumulates, the largest first.

    Evenly spaced in their logarithm from 0.85 to 1/28, or to `least` where a method gets no smaller.
    """
    end = min(max(SMALLEST, least), LARGEST)
    if count == 1:
        return [float(np.sqrt(LARGEST * end))]
    return [float(share) for share in np.geomspace(LARGEST, end, count)]
