"""Hypervolumes of several methods whose costs have no common scale: of their quantiles."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from compresskit.pareto import hypervolume


def quantile_hypervolumes(results: Mapping[str, npt.ArrayLike]) -> dict[str, float]:
    """Hypervolume of each method's costs after a quantile transform pooled over all methods.

    Each objective is replaced by its quantile in [0, 1] among the results of all methods, and the
    reference is 2 in each objective (Klein et al., arXiv 2405.02267, section 4). Ties share the
    middle of their quantiles. Only comparable within one call.
    """
    every = {name: np.asarray(costs, dtype=np.float64) for name, costs in results.items()}
    arrays = {name: costs[~np.isnan(costs).any(axis=1)] for name, costs in every.items() if costs.size}
    volumes = dict.fromkeys(results, 0.0)
    filled = {name: array for name, array in arrays.items() if len(array)}
    if not filled:
        return volumes
    pooled = np.sort(np.concatenate(list(filled.values())), axis=0)
    scale = max(len(pooled) - 1, 1)
    for name, array in filled.items():
        quantiles = np.empty_like(array)
        for column in range(array.shape[1]):
            lower = np.searchsorted(pooled[:, column], array[:, column], side="left")
            upper = np.searchsorted(pooled[:, column], array[:, column], side="right") - 1
            quantiles[:, column] = (lower + upper) / 2 / scale
        volumes[name] = hypervolume(quantiles, np.full(pooled.shape[1], 2.0))
    return volumes
