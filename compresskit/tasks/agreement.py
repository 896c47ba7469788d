"""How far the vectors of two models agree on the same texts, one number a text. numpy only."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from compresskit.errors import DataError

Vectors = npt.NDArray[np.floating]
Scores = npt.NDArray[np.float64]

RANKS, COSINE, NEIGHBOURS = "rank_agreement", "cosine", "neighbours"
METRICS = (RANKS, COSINE, NEIGHBOURS)
OTHERS = 500  # texts that each is compared with at most: a mean over rows moves by less than 0.001
NEAREST = 10
LEAST = {RANKS: 3, COSINE: 1, NEIGHBOURS: NEAREST + 2}
"""Texts from which models can differ in each metric."""


def agreement(metric: str, found: Vectors, wanted: Vectors) -> Scores:
    """(rows,) by text, of vectors (rows, width) and the dense model's, whose width may be another.

    `rank_agreement`: Spearman's correlation of a text's cosines with the others in both models. `cosine`: of
    its two vectors. `neighbours`: the share of its 10 nearest texts that are among its 10 nearest here.
    DataError where vectors are not finite.
    """
    if not (np.isfinite(found).all() and np.isfinite(wanted).all()):
        raise DataError(
            f"{metric} cannot be computed: vectors hold values that are not finite. If training diverged, "
            "give a lower --learning-rate."
        )
    ours, theirs = directions(found), directions(wanted)
    if metric == COSINE:
        if ours.shape != theirs.shape:
            raise DataError(
                f"cosine needs vectors of one width; given: {ours.shape[1]} and {theirs.shape[1]}."
            )
        return np.asarray((ours * theirs).sum(1))
    if len(ours) < 3:
        return np.ones(len(ours))  # one other text has one rank
    others = _others(len(ours))
    near, wanted_near = (_similarities(vectors, others) for vectors in (ours, theirs))
    return _ranks_agree(near, wanted_near) if metric == RANKS else _same_neighbours(near, wanted_near)


def nearest(vectors: Vectors, row: int) -> list[int]:
    """The rows of the `NEAREST` texts to that of `row`, the nearest first, as `agreement` has them."""
    others = _others(len(vectors))
    others = others[others != row]
    found = directions(vectors)
    return [int(each) for each in others[np.argsort(-(found[others] @ found[row]), kind="stable")[:NEAREST]]]


def directions(vectors: Vectors) -> Scores:
    """Vectors of length 1; those of length 0 stay."""
    found = vectors.astype(np.float64)
    return np.asarray(found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-12))


def _others(rows: int) -> npt.NDArray[np.int64]:
    return np.unique(np.linspace(0, rows - 1, min(OTHERS, rows)).astype(np.int64))


def _similarities(vectors: Scores, others: npt.NDArray[np.int64]) -> Scores:
    """(rows, others) cosines; a text's own is the lowest of all, in every model."""
    found = vectors @ vectors[others].T
    found[others, np.arange(len(others))] = -2
    return np.asarray(found)


def _ranks_agree(found: Scores, wanted: Scores) -> Scores:
    """Spearman's correlation by row, over all but the text itself; ties are in the order of the texts."""
    ranks = [np.argsort(np.argsort(each, axis=1, kind="stable"), axis=1) for each in (found, wanted)]
    own = [each == -2 for each in (found, wanted)]
    ours, theirs = (np.where(mask, np.nan, rank) for mask, rank in zip(own, ranks, strict=True))
    ours, theirs = (each - np.nanmean(each, axis=1, keepdims=True) for each in (ours, theirs))
    return np.asarray(
        np.nansum(ours * theirs, axis=1) / np.sqrt(np.nansum(ours**2, axis=1) * np.nansum(theirs**2, axis=1))
    )


def _same_neighbours(found: Scores, wanted: Scores) -> Scores:
    size = min(NEAREST, found.shape[1] - 1)
    nearest = [np.argpartition(-each, size - 1, axis=1)[:, :size] for each in (found, wanted)]
    held = np.zeros((2, *found.shape), dtype=bool)
    for place, each in enumerate(nearest):
        np.put_along_axis(held[place], each, True, axis=1)
    return np.asarray((held[0] & held[1]).sum(1) / size)
