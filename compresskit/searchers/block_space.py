"""What a search over block structure may propose: a rate and a partition for each group of matrices."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from compresskit.blocks import Partition
from compresskit.pareto import pareto_mask

RATES = (1.5, 2.0, 3.0, 4.0, 5.0)
# The first proposals: the middle, both ends, then what lies between.
_LADDER = (2.0, 3.0, 5.0, 1.5, 4.0)

BlockConfig = dict[str, dict[str, Any]]
"""Matrix group -> axis, num_blocks and rate; a group that is left out stays dense."""


@dataclass(frozen=True)
class BlockSpace:
    """`partitions`: for each matrix group those that may be proposed, the preferred one first."""

    partitions: Mapping[str, tuple[Partition, ...]]

    @property
    def groups(self) -> tuple[str, ...]:
        return tuple(group for group, partitions in self.partitions.items() if partitions)

    def ladder(self) -> list[BlockConfig]:
        """One rate for all groups, each in its preferred partition."""
        return [{group: _entry(self.partitions[group][0], rate) for group in self.groups} for rate in _LADDER]

    def neighbours(self, config: BlockConfig) -> list[BlockConfig]:
        """Configurations that differ in one group: by one step of its rate, or in its partition."""
        found = []
        for group in self.groups:
            others = {name: entry for name, entry in config.items() if name != group}
            entry = config.get(group)
            if entry is None:
                found.append({**others, group: _entry(self.partitions[group][0], RATES[0])})
                continue
            now = Partition(entry["axis"], entry["num_blocks"])
            place = RATES.index(entry["rate"])
            found += [
                {**others, group: _entry(now, RATES[i])}
                for i in (place - 1, place + 1)
                if 0 <= i < len(RATES)
            ]
            if place == 0 and others:
                found.append(others)
            found += [
                {**others, group: _entry(cut, entry["rate"])} for cut in self.partitions[group] if cut != now
            ]
        return found

    def propose(
        self, told: Sequence[tuple[BlockConfig, Sequence[float] | None]], seed: int
    ) -> BlockConfig | None:
        """The next configuration after those `told` with their costs (None: failed); None if all are known.

        The ladder first, then local search: a neighbour of a random member of the front (of another
        trial once these have none left), as each evaluation costs a training. It depends on `seed` and
        on what was told alone.
        """
        if not self.groups:
            return None
        known = {_key(config) for config, _ in told}
        for config in self.ladder():
            if _key(config) not in known:
                return config
        generator = np.random.default_rng((seed, len(told)))
        good = [(config, costs) for config, costs in told if costs is not None]
        on_front: list[bool] = pareto_mask([costs for _, costs in good]).tolist() if good else []
        members = [config for (config, _), chosen in zip(good, on_front, strict=True) if chosen]
        others = [config for (config, _), chosen in zip(good, on_front, strict=True) if not chosen]
        for config in (*_shuffled(members, generator), *_shuffled(others, generator)):
            for neighbour in _shuffled(self.neighbours(config), generator):
                if _key(neighbour) not in known:
                    return neighbour
        return None


def furthest_before(config: BlockConfig, earlier: Mapping[int, BlockConfig]) -> int | None:
    """The key of what `config` can go on from: that of `earlier` which prunes furthest, and nothing more.

    All that it prunes, `config` prunes in the same partition as far or further. None where none does.
    """
    found = [key for key, other in earlier.items() if other and _goes_on(config, other)]
    return max(
        found,
        key=lambda key: float(np.prod([entry["rate"] for entry in earlier[key].values()])),
        default=None,
    )


def _goes_on(config: BlockConfig, other: BlockConfig) -> bool:
    return all(
        group in config
        and {**config[group], "rate": None} == {**entry, "rate": None}
        and config[group]["rate"] >= entry["rate"]
        for group, entry in other.items()
    )


def _entry(partition: Partition, rate: float) -> dict[str, Any]:
    return {"axis": partition.axis, "num_blocks": partition.num_blocks, "rate": rate}


def _key(config: BlockConfig) -> str:
    return json.dumps(config, sort_keys=True)


def _shuffled(configs: Iterable[BlockConfig], generator: np.random.Generator) -> list[BlockConfig]:
    listed = list(configs)
    return [listed[i] for i in generator.permutation(len(listed))]
