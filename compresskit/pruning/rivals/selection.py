"""Which heads and units stay within a budget, by a score of each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from compresskit.architecture import Architecture, Layer
from compresskit.errors import ConfigurationError
from compresskit.kept import Kept
from compresskit.pruning.rivals.costs import Array, Costs
from compresskit.supernet.importance import Importance

_ROUNDING = 1 + 1e-9  # of the whole budget: what is left of it may be nothing, and units cost nothing


def select(
    scores: Importance,
    within: Architecture,
    costs: Costs,
    limit: float,
    *,
    multiple: int = 1,
    least: int = 0,
) -> Architecture:
    """The members of `within` with the largest sum of scores that cost at most `limit`.

    Algorithm 1 of Kwon et al. 2022 (arXiv 2204.09656): heads of all layers are sorted by score, and
    units likewise; for each number of heads the rest of the budget is filled with units, and the number
    that keeps most is taken. Numbers of heads that leave nothing for the units that must stay are passed
    over. Units go in groups of `multiple` of a layer's, best with best; with `least` 1 every
    layer keeps a head and a group. Raises ConfigurationError where nothing fits.
    """
    heads, units = (
        _rank(scores.heads, "heads", within, 1, least),
        _rank(scores.units, "units", within, multiple, least),
    )
    head_costs, unit_costs = heads.costs(costs.heads), units.costs(costs.units)
    head_gains, unit_gains = heads.gains(), units.gains()
    best = -np.inf
    chosen: tuple[int, int] | None = None
    for count in range(heads.forced, len(heads.order) + 1):
        groups = _affordable(unit_costs, limit * _ROUNDING - costs.fixed - head_costs[count])
        if groups < units.forced or count + groups == 0:
            continue
        gain = head_gains[count] + unit_gains[groups]
        if gain > best:
            best, chosen = gain, (count, groups)
    if chosen is None:
        raise ConfigurationError(_too_small(limit, costs, heads, units))
    return _architecture(within, heads.take(chosen[0]), units.take(chosen[1]))


def select_evenly(
    scores: Importance, within: Architecture, costs: Costs, limit: float, *, multiple: int = 1, least: int = 0
) -> Architecture:
    """The best heads and the best units of all layers, the same share of both, that cost at most `limit`.

    For scores of heads that cannot be compared with those of units. Shares are of the dense model's.
    What the last head does not fill is filled with units. Arguments and errors are those of `select`.
    """
    heads, units = (
        _rank(scores.heads, "heads", within, 1, least),
        _rank(scores.units, "units", within, multiple, least),
    )
    head_costs, unit_costs = heads.costs(costs.heads), units.costs(costs.units)
    all_heads = sum(layer.heads.total for layer in within.layers)
    all_groups = sum(-(-layer.units.total // multiple) for layer in within.layers)
    for count in range(len(heads.order), heads.forced - 1, -1):
        wanted = max(units.forced, min(round(count / all_heads * all_groups), len(units.order)))
        groups = _affordable(unit_costs, limit * _ROUNDING - costs.fixed - head_costs[count])
        if groups >= wanted and (count or groups):
            return _architecture(within, heads.take(count), units.take(groups))
    raise ConfigurationError(_too_small(limit, costs, heads, units))


def least_cost(within: Architecture, costs: Costs, multiple: int) -> float:
    """What an architecture costs that keeps one head and `multiple` units in every layer."""
    return costs.fixed + len(within.kept_layers) * float(costs.heads[1] + costs.units[multiple])


@dataclass(frozen=True, eq=False)
class _Ranking:
    """Groups of members in the order in which they are kept: (layer, members, score)."""

    order: list[tuple[int, tuple[int, ...], float]]
    forced: int  # so many of them stay whatever the budget

    def costs(self, table: Array) -> Array:
        """Cost of the first n groups, n from 0."""
        kept: dict[int, int] = {}
        total, found = 0.0, [0.0]
        for layer, members, _ in self.order:
            before = kept.get(layer, 0)
            kept[layer] = before + len(members)
            total += float(table[kept[layer]] - table[before])
            found.append(total)
        return np.asarray(found)

    def gains(self) -> Array:
        return np.cumsum([0.0, *(score for _, _, score in self.order)])

    def take(self, count: int) -> dict[int, list[int]]:
        found: dict[int, list[int]] = {}
        for layer, members, _ in self.order[:count]:
            found.setdefault(layer, []).extend(members)
        return found


def _rank(scores: torch.Tensor, kind: str, within: Architecture, size: int, least: int) -> _Ranking:
    values = scores.detach().double().cpu().numpy()
    firsts, rest = [], []
    for number, layer in enumerate(within.layers):
        kept: Kept = getattr(layer, kind)
        members = sorted(kept.indices, key=lambda i: (-values[number, i], i))
        groups = [tuple(members[start : start + size]) for start in range(0, len(members), size)]
        scored = [(number, group, float(values[number, list(group)].sum())) for group in groups]
        firsts += scored[:least]
        rest += scored[least:]
    # A stable sort: within a layer a better group never comes after a worse one.
    rest.sort(key=lambda item: -item[2] / len(item[1]))
    return _Ranking([*firsts, *rest], len(firsts))


def _affordable(costs: Array, limit: float) -> int:
    """How many groups, from the first on, cost at most `limit`; -1 where not even none does."""
    return int(np.searchsorted(costs, limit, side="right")) - 1


def _too_small(limit: float, costs: Costs, heads: _Ranking, units: _Ranking) -> str:
    head_costs, unit_costs = heads.costs(costs.heads), units.costs(costs.units)
    least = costs.fixed + head_costs[heads.forced] + unit_costs[units.forced]
    if not heads.forced + units.forced:
        firsts = [found[1] for found in (head_costs, unit_costs) if len(found) > 1]
        least = costs.fixed + min(firsts)
    return f"a budget of {limit:g} is too small for any head or unit; permitted: {least:g} or more."


def _architecture(
    within: Architecture, heads: dict[int, list[int]], units: dict[int, list[int]]
) -> Architecture:
    return Architecture(
        tuple(
            Layer(
                Kept.of(layer.heads.total, heads.get(number, [])),
                Kept.of(layer.units.total, units.get(number, [])),
            )
            for number, layer in enumerate(within.layers)
        )
    )
