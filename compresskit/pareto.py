"""Pareto fronts and the volume they dominate. All costs are minimised."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Costs = npt.NDArray[np.float64]


def _as_costs(costs: npt.ArrayLike) -> Costs:
    array = np.asarray(costs, dtype=np.float64)
    if array.size == 0:
        return array.reshape(0, array.shape[1] if array.ndim == 2 else 1)
    if array.ndim != 2:
        raise ValueError(f"costs have shape {array.shape}; permitted: (points, objectives).")
    return array


def pareto_mask(costs: npt.ArrayLike) -> npt.NDArray[np.bool_]:
    """Which rows of `costs` (n, m) no other row dominates, as a mask (n,).

    Of equal rows the first alone is marked; a row with NaN (an objective that was not measured)
    never is.
    """
    array = _as_costs(costs)
    mask = np.zeros(len(array), dtype=np.bool_)
    # In lexicographic order a row can be dominated by, or equal to, earlier rows only.
    order = np.lexsort((np.arange(len(array)), *array.T[::-1]))
    front: list[int] = []
    for row in order:
        if np.isnan(array[row]).any():
            continue
        if front and (array[front] <= array[row]).all(axis=1).any():
            continue
        front.append(int(row))
    mask[front] = True
    return mask


def hypervolume(costs: npt.ArrayLike, reference: Sequence[float] | Costs) -> float:
    """Volume that the rows of `costs` (n, m) dominate below `reference` (m,); 0 where none does.

    Exact: a sweep for two objectives, slices along the last objective for more (While et al.,
    "A Faster Algorithm for Calculating Hypervolume", 2006), which is exponential in m but quick
    for fronts of hundreds of points and up to four objectives.
    """
    array, corner = _as_costs(costs), np.asarray(reference, dtype=np.float64)
    if len(array) == 0:
        return 0.0
    if corner.shape != (array.shape[1],):
        raise ValueError(f"reference has shape {corner.shape}; permitted: ({array.shape[1]},).")
    array = array[(array < corner).all(axis=1)]  # NaN compares false
    return _volume(array[pareto_mask(array)], corner)


def _volume(front: Costs, corner: Costs) -> float:
    if len(front) == 0:
        return 0.0
    if front.shape[1] == 1:
        return float(corner[0] - front[:, 0].min())
    if front.shape[1] == 2:
        ordered = front[np.argsort(front[:, 0])]
        ceilings = np.concatenate(([corner[1]], ordered[:-1, 1]))
        return float(((corner[0] - ordered[:, 0]) * (ceilings - ordered[:, 1])).sum())
    ordered = front[np.argsort(front[:, -1], kind="stable")]
    tops = np.append(ordered[1:, -1], corner[-1])
    volume = 0.0
    for count, (bottom, top) in enumerate(zip(ordered[:, -1], tops, strict=True), start=1):
        if top > bottom:
            below = ordered[:count, :-1]
            volume += float(top - bottom) * _volume(below[pareto_mask(below)], corner[:-1])
    return volume
