from __future__ import annotations

import pytest
import torch

from compresskit.architecture import Architecture, Dimensions
from compresskit.training.losses import hidden_loss, label_loss, logit_loss

DIMS = Dimensions(num_layers=4, num_heads=2, head_size=2, num_units=4, hidden_size=4)


def test_label_loss_takes_classes_or_values() -> None:
    logits = torch.tensor([[2.0, 0.0], [0.0, 1.0]])
    by_hand = -torch.log_softmax(logits, -1)[[0, 1], [0, 1]].mean()
    assert label_loss(logits, torch.tensor([0, 1])).item() == pytest.approx(by_hand.item())
    assert label_loss(torch.tensor([[1.0], [3.0]]), torch.tensor([0.0, 1.0])).item() == pytest.approx(2.5)


def test_logit_loss_equals_the_formula() -> None:
    student, teacher, temperature = torch.randn(5, 3), torch.randn(5, 3), 4.0
    p, q = torch.softmax(teacher / temperature, -1), torch.softmax(student / temperature, -1)
    by_hand = temperature**2 * (p * (p / q).log()).sum(-1).mean()
    found = logit_loss(student, teacher, temperature, regression=False)
    torch.testing.assert_close(found, by_hand)
    assert logit_loss(teacher, teacher, temperature, regression=False).item() == pytest.approx(0, abs=1e-5)


def test_temperature_changes_the_loss() -> None:
    student, teacher = torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 5.0]])
    losses = {logit_loss(student, teacher, t, regression=False).item() for t in (1.0, 2.0, 10.0)}
    assert len(losses) == 3


class TestHiddenLoss:
    teacher = tuple(torch.randn(2, 3, 4, generator=torch.Generator().manual_seed(i)) for i in range(5))
    mask = torch.tensor([[1, 1, 1], [1, 0, 0]])

    def test_equal_states_cost_nothing(self) -> None:
        full = Architecture.full(DIMS)
        assert hidden_loss(self.teacher, self.teacher, full, self.mask).item() == 0

    def test_kept_layers_are_matched_by_place_and_the_last_to_the_last(self) -> None:
        kept = Architecture.uniform(DIMS, [0, 2], 1, 1)
        student = (self.teacher[0], self.teacher[1], self.teacher[4])
        assert hidden_loss(student, self.teacher, kept, self.mask).item() == 0
        by_place = (self.teacher[0], self.teacher[1], self.teacher[3])
        assert hidden_loss(by_place, self.teacher, kept, self.mask).item() > 0.5

    def test_padding_has_no_influence(self) -> None:
        full = Architecture.full(DIMS)
        student = [state.clone() for state in self.teacher]
        student[2][1, 1:] += 100
        assert hidden_loss(student, self.teacher, full, self.mask).item() == 0
        student[2][1, 0] += 1
        assert hidden_loss(student, self.teacher, full, self.mask).item() > 0

    def test_is_in_units_of_the_teachers_variance(self) -> None:
        full = Architecture.full(DIMS)
        zeros = tuple(torch.zeros_like(state) for state in self.teacher)
        assert hidden_loss(zeros, self.teacher, full, self.mask).item() == pytest.approx(1.0)
