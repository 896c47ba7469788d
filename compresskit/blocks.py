"""Block structure of weight matrices: what stays inside each block, as small values."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from compresskit.errors import ArchitectureError, one_of
from compresskit.kept import Kept

if TYPE_CHECKING:  # whoever handles a Candidate need not load numpy
    import numpy as np
    import numpy.typing as npt

OUTPUTS, INPUTS = "outputs", "inputs"
AXES = (OUTPUTS, INPUTS)
SCOPES = ("matrix", "global")  # what shares a budget in hard pruning: a matrix, or all of its group
REWEIGHTED, PLAIN, NO_LASSO = "reweighted", "plain", "none"
LASSOS = (REWEIGHTED, PLAIN, NO_LASSO)  # penalties that prepare a model for hard pruning
INDEX_BYTES = 4  # an index is an int32, in PyTorch as in ONNX


@dataclass(frozen=True, slots=True)
class Partition:
    """How a weight (out, in) is cut: `num_blocks` blocks along its outputs or its inputs.

    A group is what one member of the other dimension has in one block: a segment of a column where
    outputs are cut, a segment of a row where inputs are (Li et al. 2020, arXiv 2009.08065, section 3).
    """

    axis: str
    num_blocks: int

    def __post_init__(self) -> None:
        if self.axis not in AXES:
            raise ArchitectureError(one_of("block axis", self.axis, AXES))
        if self.num_blocks < 1:
            raise ArchitectureError(f"number of blocks {self.num_blocks}; permitted: 1 and above.")

    def widths(self, shape: Sequence[int]) -> tuple[int, ...]:
        """Widths of the blocks of a weight of `shape` (out, in); they differ by at most 1."""
        size = shape[0] if self.axis == OUTPUTS else shape[1]
        if self.num_blocks > size:
            raise ArchitectureError(
                f"{self.num_blocks} blocks do not fit a dimension of {size}; permitted: 1 to {size}."
            )
        least, more = divmod(size, self.num_blocks)
        return tuple(least + (i < more) for i in range(self.num_blocks))


@dataclass(frozen=True, slots=True)
class BlockMatrix:
    """A weight (out, in) of which every block keeps some of its groups.

    `widths` are those of the blocks along `axis`; `kept[b]` says which members of the other dimension
    stay in block b. Raises ArchitectureError when these do not fit together.
    """

    axis: str
    widths: tuple[int, ...]
    kept: tuple[Kept, ...]

    def __post_init__(self) -> None:
        if self.axis not in AXES:
            raise ArchitectureError(one_of("block axis", self.axis, AXES))
        totals = {kept.total for kept in self.kept}
        if len(self.widths) != len(self.kept) or len(totals) != 1:
            raise ArchitectureError(
                f"{len(self.widths)} blocks list kept members {len(self.kept)} times, of {sorted(totals)}."
            )

    @classmethod
    def of_mask(cls, mask: npt.NDArray[np.bool_], axis: str, widths: Sequence[int]) -> BlockMatrix:
        """The structure of a `mask` (out, in), True where weights stay; blocks without width are left out.

        A group stays when any of its weights does.
        """
        import numpy as np

        oriented = mask if axis == OUTPUTS else mask.T
        kept, start = [], 0
        for width in widths:
            members = np.flatnonzero(oriented[start : start + width].any(axis=0))
            kept.append(Kept.of(oriented.shape[1], members.tolist()))
            start += width
        chosen = [(width, stays) for width, stays in zip(widths, kept, strict=True) if width]
        return cls(axis, tuple(width for width, _ in chosen), tuple(stays for _, stays in chosen))

    @property
    def shape(self) -> tuple[int, int]:
        """(out, in) of the weight that this one stands for."""
        size, members = sum(self.widths), self.kept[0].total
        return (size, members) if self.axis == OUTPUTS else (members, size)

    @property
    def num_params(self) -> int:
        """Weights that stay."""
        return sum(width * kept.count for width, kept in zip(self.widths, self.kept, strict=True))

    @property
    def num_indices(self) -> int:
        """Kept members, listed for each block."""
        return sum(kept.count for kept in self.kept)

    @property
    def signature(self) -> str:
        """What a latency depends on: axis, widths and counts, and where members are no single run."""
        parts = (
            f"{width}x{kept.count}{'' if kept.is_run else 's'}"
            for width, kept in zip(self.widths, self.kept, strict=True)
        )
        return f"{self.axis[0]}{self.kept[0].total}:{'+'.join(parts)}"

    def blocks(self) -> Iterator[tuple[slice, npt.NDArray[np.int64]]]:
        """For each block its range along `axis`, and the members that it keeps."""
        import numpy as np

        start = 0
        for width, kept in zip(self.widths, self.kept, strict=True):
            yield slice(start, start + width), np.asarray(kept.indices, dtype=np.int64)
            start += width

    def mask(self) -> npt.NDArray[np.bool_]:
        """(out, in), True where weights stay."""
        import numpy as np

        oriented = np.zeros((sum(self.widths), self.kept[0].total), dtype=np.bool_)
        for block, members in self.blocks():
            oriented[block, members] = True
        return oriented if self.axis == OUTPUTS else oriented.T

    def to_json(self) -> dict[str, Any]:
        return {
            "axis": self.axis,
            "members": self.kept[0].total,
            "widths": list(self.widths),
            "kept": [kept.to_json() for kept in self.kept],
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> BlockMatrix:
        if set(value) != {"axis", "members", "widths", "kept"}:
            raise ArchitectureError(
                f"block structure has keys {sorted(value)}; permitted: axis, kept, members, widths."
            )
        kept = tuple(Kept.from_json(value["members"], item) for item in value["kept"])
        return cls(value["axis"], tuple(value["widths"]), kept)


@dataclass(frozen=True, slots=True)
class BlockPlan:
    """Block structure of some matrices of a sub-network, by the name of their module, sorted."""

    matrices: tuple[tuple[str, BlockMatrix], ...]

    @classmethod
    def of(cls, matrices: Mapping[str, BlockMatrix]) -> BlockPlan:
        return cls(tuple(sorted(matrices.items())))

    def items(self) -> Iterator[tuple[str, BlockMatrix]]:
        return iter(self.matrices)

    def __len__(self) -> int:
        return len(self.matrices)

    @property
    def signature(self) -> str:
        """Digest of all shapes: plans of one signature share one latency."""
        text = ";".join(f"{name}={matrix.signature}" for name, matrix in self.matrices)
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    @property
    def num_params(self) -> int:
        return sum(matrix.num_params for _, matrix in self.matrices)

    @property
    def dense_params(self) -> int:
        """Weights that the same matrices have without block structure."""
        return sum(matrix.shape[0] * matrix.shape[1] for _, matrix in self.matrices)

    @property
    def index_bytes(self) -> int:
        """Bytes of all indices, were each listed; a run without gaps needs none in a graph."""
        return INDEX_BYTES * sum(matrix.num_indices for _, matrix in self.matrices)

    def to_json(self) -> dict[str, Any]:
        return {name: matrix.to_json() for name, matrix in self.matrices}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> BlockPlan:
        return cls.of({name: BlockMatrix.from_json(item) for name, item in value.items()})
