"""What every family of models that read images promises."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from tests.contracts.family import FamilyContract

SIDE, PATCH = 16, 4


class ImageFamilyContract(FamilyContract):
    """Subclasses give `make_model`, for images of `SIDE` and patches of `PATCH`."""

    def batch(self, rows: int = 3, length: int = 7) -> dict[str, torch.Tensor]:
        generator = torch.Generator().manual_seed(rows)
        return {"pixel_values": torch.randn(rows, 3, SIDE, SIDE, generator=generator)}

    def served(self) -> Iterator[tuple[dict[str, torch.Tensor], bool]]:
        for rows in (1, 3, 8):
            yield self.batch(rows), True
