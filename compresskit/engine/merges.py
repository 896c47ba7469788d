"""Byte-pair encoding of one token: which merges made it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

Pair = tuple[str, str]


def merge_pairs(merges: Iterable[str | Sequence[str]]) -> list[Pair]:
    """The merges of a tokenizer.json, in either of its two spellings: "a b", ["a", "b"]."""
    pairs = (merge.split(" ") if isinstance(merge, str) else merge for merge in merges)
    return [(left, right) for left, right in pairs]


def applied_merges(token: str, ranks: Mapping[Pair, int]) -> list[Pair]:
    """The merges that made `token` from its characters, in order (Sennrich et al., ACL 2016, algorithm 1).

    Nothing of a word beside a token takes part in making it: what is merged stays merged, so no merge
    ever reached over the token's ends. The merges of a text are therefore those of its tokens.
    """
    parts = list(token)
    applied = []
    while len(parts) > 1:
        known = [(ranks[pair], i) for i, pair in enumerate(pairwise(parts)) if pair in ranks]
        if not known:
            break
        _, i = min(known)
        applied.append((parts[i], parts[i + 1]))
        parts[i : i + 2] = [parts[i] + parts[i + 1]]
    return applied
