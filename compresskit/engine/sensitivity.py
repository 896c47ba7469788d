"""Which layers suffer from int8, and keeping as few of them in float as the metric permits."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from copy import deepcopy
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from onnx import ModelProto

from compresskit.engine.quantize import quantizable_weights

# The float graph in int8, in place, but for the weights named.
Quantizer = Callable[[ModelProto, Collection[str]], ModelProto]


@dataclass(frozen=True)
class WeightGroup:
    """Weights whose products read one value, which is quantized once for all; `name` is their module."""

    name: str
    weights: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class PartlyQuantized:
    """A graph in int8 but for `float_groups`, the most sensitive first, and its metric."""

    graph: ModelProto
    float_groups: tuple[WeightGroup, ...]
    metric: float


def weight_groups(model: ModelProto) -> list[WeightGroup]:
    """The quantizable weights of a float graph, grouped, in the graph's order."""
    return [WeightGroup(_module(names), tuple(names)) for names in quantizable_weights(model).values()]


def rank_groups(
    model: ModelProto, quantize: Quantizer, logits: Callable[[ModelProto], npt.NDArray[np.float32]]
) -> list[tuple[WeightGroup, float]]:
    """Each group with how far the logits move when it alone is in int8, the farthest first.

    The distance is the root of the mean squared difference over all texts and labels that `logits`
    computes.
    """
    wanted = logits(model)
    groups = weight_groups(model)
    found = []
    for group in groups:
        others = [name for other in groups if other is not group for name in other.weights]
        alone = logits(quantize(deepcopy(model), others))
        found.append((group, float(np.sqrt(np.mean((alone - wanted) ** 2)))))
    return sorted(found, key=lambda pair: -pair[1])


def quantize_partly(
    model: ModelProto,
    quantize: Quantizer,
    ranked: Sequence[WeightGroup],
    accept: Callable[[ModelProto], float | None],
) -> PartlyQuantized | None:
    """The graph in int8 with the fewest of `ranked` groups, from the first on, left in float.

    `accept` gives the metric of a graph that is good enough and None for any other. The number is found
    by bisection, which takes it that more groups in float do not lose more; the graph returned was
    itself accepted. None where even one group in int8 is too many.
    """
    best: PartlyQuantized | None = None
    fewest, most = 1, len(ranked) - 1
    while fewest <= most:
        count = (fewest + most) // 2
        kept = tuple(ranked[:count])
        graph = quantize(deepcopy(model), [name for group in kept for name in group.weights])
        metric = accept(graph)
        if metric is None:
            fewest = count + 1
        else:
            best, most = PartlyQuantized(graph, kept, metric), count - 1
    return best


def _module(names: Sequence[str]) -> str:
    """What the dotted names have in common, without the last part of a single one."""
    rows = [name.split(".")[:-1] for name in names]
    shared = rows[0]
    for row in rows[1:]:
        alike = [a == b for a, b in zip(shared, row, strict=False)]
        shared = shared[: alike.index(False) if False in alike else len(alike)]
    return ".".join(shared) or names[0]
