"""One plan from a super-network's parameters to a sub-network's, used wherever weights are cut."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

Index = npt.NDArray[np.int64]

HEAD_IDS = "head_ids"  # which heads of the dense layer a module has, where it is told


class _Indexable(Protocol):
    def __getitem__(self, key: Any) -> Any: ...


@dataclass(frozen=True, eq=False)
class Cut:
    """Where one parameter comes from: `source`, and what stays along each of its dimensions.

    `keep[d]` is None (all of dimension d) or the kept indices, ascending.
    """

    source: str
    keep: tuple[Index | None, ...] = ()

    @property
    def is_whole(self) -> bool:
        return all(index is None for index in self.keep)

    def shape(self, dense: tuple[int, ...]) -> tuple[int, ...]:
        """Shape after the cut of a parameter that was `dense`."""
        kept = [None if i is None else len(i) for i in self.keep]
        kept += [None] * (len(dense) - len(kept))
        return tuple(size if k is None else k for size, k in zip(dense, kept, strict=True))

    def apply(self, value: _Indexable) -> Any:
        """Cut a numpy array or a torch tensor; prefixes become views, so autograd stays cheap."""
        for dim, index in enumerate(self.keep):
            if index is None:
                continue
            head = (slice(None),) * dim
            if len(index) == 0 or index[-1] - index[0] + 1 == len(index):
                start = int(index[0]) if len(index) else 0
                value = value[(*head, slice(start, start + len(index)))]
            else:
                value = value[(*head, index)]
        return value


@dataclass(frozen=True, eq=False)
class SlicingPlan:
    """Name of each parameter in the sub-network -> its Cut of the super-network.

    `identities` names the modules of the sub-network that compute nothing, with the rule that
    says what they return instead (see `families.base`). `heads`: name of the `HEAD_IDS` of each module of
    the sub-network that is told its heads -> the Cut of the super-network's. `counts`: name of each attribute
    of a module of the sub-network that holds how many members are left -> that number.
    """

    cuts: Mapping[str, Cut]
    identities: Mapping[str, str]
    heads: Mapping[str, Cut] = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)

    def shapes(self, dense: Mapping[str, tuple[int, ...]]) -> dict[str, tuple[int, ...]]:
        return {name: cut.shape(dense[cut.source]) for name, cut in self.cuts.items()}

    def own_heads(self, heads: Mapping[str, Any]) -> dict[str, Any]:
        """Of the `heads` that modules of the super-network are told, those of the sub-network's."""
        return {name: cut.apply(heads[cut.source]) for name, cut in self.heads.items()}

    def apply(self, values: Mapping[str, Any], convert: Callable[[Any], Any] = lambda v: v) -> dict[str, Any]:
        """Cut every value, then `convert` it (for instance to a contiguous copy)."""
        return {name: convert(cut.apply(values[cut.source])) for name, cut in self.cuts.items()}
