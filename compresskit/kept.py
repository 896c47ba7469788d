"""Which members of a row of heads, units, rows or columns stay."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from compresskit.errors import ArchitectureError


@dataclass(frozen=True, slots=True)
class Kept:
    """The members that stay of a row of `total` heads or units; bit i of `mask` is member i."""

    total: int
    mask: int

    def __post_init__(self) -> None:
        if self.total < 0 or self.mask < 0 or self.mask >> self.total:
            raise ArchitectureError(
                f"mask {self.mask:#x} names members beyond the {self.total} that exist; "
                f"permitted: bits 0 to {self.total - 1}."
            )

    @classmethod
    def first(cls, total: int, count: int) -> Kept:
        """The first `count` of `total` members (the best ones, once ordered by importance)."""
        if not 0 <= count <= total:
            raise ArchitectureError(f"cannot keep {count} of {total}; permitted: 0 to {total}.")
        return cls(total, (1 << count) - 1)

    @classmethod
    def of(cls, total: int, indices: Iterable[int]) -> Kept:
        mask = 0
        for index in indices:
            if not 0 <= index < total:
                raise ArchitectureError(f"member {index} does not exist; permitted: 0 to {total - 1}.")
            mask |= 1 << index
        return cls(total, mask)

    @property
    def count(self) -> int:
        return self.mask.bit_count()

    @property
    def indices(self) -> tuple[int, ...]:
        return tuple(i for i in range(self.mask.bit_length()) if self.mask >> i & 1)

    @property
    def is_first(self) -> bool:
        """Whether the kept members are a prefix, so that their count says everything."""
        return self.mask & (self.mask + 1) == 0

    @property
    def is_run(self) -> bool:
        """Whether the kept members follow one another without a gap."""
        from_first = self.mask // max(1, self.mask & -self.mask)
        return from_first & (from_first + 1) == 0

    def to_json(self) -> int | str:
        return self.count if self.is_first else f"{self.mask:x}"

    @classmethod
    def from_json(cls, total: int, value: int | str) -> Kept:
        if isinstance(value, bool) or not isinstance(value, (int, str)):
            raise ArchitectureError(f"{value!r} is neither a count nor a hexadecimal mask.")
        if isinstance(value, int):
            return cls.first(total, value)
        try:
            return cls(total, int(value, 16))
        except ValueError:
            raise ArchitectureError(f"{value!r} is not a hexadecimal mask.") from None
