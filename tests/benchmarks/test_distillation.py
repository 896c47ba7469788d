from __future__ import annotations

import pytest
import torch

from benchmarks.recipe.distillation import EVEN, FINAL, PLACE, Mapped, Related, relation_loss
from compresskit.architecture import Architecture, Dimensions
from compresskit.training.losses import Distillation

DIMS = Dimensions(num_layers=4, num_heads=2, head_size=2, num_units=4, hidden_size=4)


@pytest.mark.parametrize(
    ("mapping", "wanted"),
    [(PLACE, [(0, 0), (1, 1), (2, 3)]), (EVEN, [(0, 1), (1, 3), (2, 5)]), (FINAL, [(2, 5)])],
)
def test_layers_are_matched_as_named(mapping: str, wanted: list[tuple[int, int]]) -> None:
    """Layers 0, 1 and 3 of 6; teacher's layers from 0."""
    kept = Architecture.uniform(Dimensions(6, 2, 2, 4, 4), [0, 1, 3], 1, 1)
    assert Mapped(mapping=mapping).pairs(kept) == wanted


@pytest.mark.parametrize("mapping", [PLACE, EVEN])
def test_full_network_is_matched_layer_by_layer(mapping: str) -> None:
    assert Mapped(mapping=mapping).pairs(Architecture.full(DIMS)) == [(i, i) for i in range(4)]


def test_relations_are_added_to_the_other_losses_of_hidden_states() -> None:
    teacher, student = (
        [torch.randn(2, 3, 4, generator=torch.Generator().manual_seed(i + seed)) for i in range(5)]
        for seed in (0, 9)
    )
    full, mask = Architecture.full(DIMS), torch.tensor([[1, 1, 1], [1, 0, 0]])
    plain = Distillation().of_states(student, teacher, full, mask)
    found = Related(relations=2.0).of_states(student, teacher, full, mask)
    torch.testing.assert_close(found, plain + 2 * relation_loss(student[-1], teacher[-1], mask, 2))


class TestRelationLoss:
    teacher = torch.randn(2, 5, 8, generator=torch.Generator().manual_seed(1))
    student = torch.randn(2, 5, 8, generator=torch.Generator().manual_seed(2))
    mask = torch.tensor([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]])

    def test_equals_the_formula(self) -> None:
        """Token by token and head by head, in double precision."""
        divergences = []
        for row, count in ((0, 5), (1, 3)):
            for token in range(count):
                for head in (slice(0, 4), slice(4, 8)):
                    p, q = (
                        torch.softmax(x[row, :count, head].double() @ x[row, token, head].double() / 2, -1)
                        for x in (self.teacher, self.student)
                    )
                    divergences.append((p * (p / q).log()).sum())
        found = relation_loss(self.student, self.teacher, self.mask, num_heads=2)
        assert found.item() == pytest.approx(torch.stack(divergences).mean().item(), rel=1e-4)

    def test_padding_has_no_influence_and_gradients_are_finite(self) -> None:
        student = self.student.clone()
        student[1, 3:] += 50
        student.requires_grad_(True)
        found = relation_loss(student, self.teacher, self.mask, num_heads=2)
        torch.testing.assert_close(
            found.detach(), relation_loss(self.student, self.teacher, self.mask, num_heads=2)
        )
        found.backward()  # type: ignore[no-untyped-call]
        assert student.grad is not None
        assert torch.isfinite(student.grad).all()
        assert not student.grad[1, 3:].any()

    def test_of_equal_states_is_nothing(self) -> None:
        assert relation_loss(self.teacher, self.teacher, self.mask, 2).item() == pytest.approx(0, abs=1e-6)
