"""Seeded choices of rows that keep the mix of labels."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]
QUANTILES = 10


def strata_of(labels: npt.NDArray[Any]) -> IntArray:
    """(rows,) stratum numbers from 0: the class, or for numbers the tenth of the rows they fall in."""
    if np.issubdtype(labels.dtype, np.floating):
        edges = np.unique(np.quantile(labels, np.linspace(0, 1, QUANTILES + 1)[1:-1]))
        labels = np.searchsorted(edges, labels, side="left")
    return np.unique(labels, return_inverse=True)[1].astype(np.int64)


def rarest_held(held: npt.NDArray[np.bool_]) -> IntArray:
    """(rows,) stratum numbers from 0: of what each row holds, (rows, kinds), the kind that is rarest in all.

    Rows that hold nothing are one stratum more.
    """
    rank = np.argsort(np.argsort(held.sum(0), kind="stable"), kind="stable")
    rarest = np.where(held, rank, held.shape[1]).min(1)
    return np.unique(rarest, return_inverse=True)[1].astype(np.int64)


def shares(strata: IntArray, size: int) -> IntArray:
    """(strata,) how many of `size` rows each stratum gives; the largest remainders are rounded up."""
    counts = np.bincount(strata)
    exact = counts * size / len(strata)
    whole = np.floor(exact).astype(np.int64)
    for stratum in np.argsort(whole - exact, kind="stable")[: size - int(whole.sum())]:
        whole[stratum] += 1
    return whole


def choose_groups(group: IntArray, strata: IntArray, size: int, seed: int) -> IntArray:
    """Rows (sorted) of whole groups, about `size`, the strata mixed as in all rows.

    Groups are taken in seeded order; one is passed over when its strata are for the greater part filled, or
    when it holds the last rows of a stratum. Single rows are groups of one, and then the mix is exact.
    """
    rng = np.random.default_rng(seed)
    wanted = shares(strata, size)
    left = np.bincount(strata)
    order = np.argsort(group, kind="stable")
    members = np.split(order, np.flatnonzero(np.diff(group[order])) + 1)
    taken = []
    for position in rng.permutation(len(members)):
        rows = members[position]
        mix = np.bincount(strata[rows], minlength=len(wanted))
        held = mix > 0
        useful = int(np.minimum(mix, np.maximum(wanted, 0)).sum())
        if 2 * useful > len(rows) and (left[held] > mix[held]).all():
            taken.append(rows)
            wanted -= mix
            left -= mix
    return np.sort(np.concatenate(taken)) if taken else np.zeros(0, dtype=np.int64)


def choose_rows(strata: IntArray, size: int, seed: int) -> IntArray:
    """`size` single rows (sorted), or all where there are no more, the strata mixed as in all rows."""
    if size >= len(strata):
        return np.arange(len(strata), dtype=np.int64)
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(strata))
    chosen = [order[strata[order] == i][:count] for i, count in enumerate(shares(strata, size))]
    return np.sort(np.concatenate(chosen)).astype(np.int64)
