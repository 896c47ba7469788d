from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from compresskit.architecture import Architecture, Dimensions
from compresskit.training.losses import (
    Distillation,
    consistency_loss,
    cosine_loss,
    hidden_loss,
    label_loss,
    logit_loss,
    vector_loss,
)

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


def test_consistency_loss_equals_the_formula() -> None:
    first, second = torch.randn(5, 3), torch.randn(5, 3)
    p, q = torch.softmax(first, -1), torch.softmax(second, -1)
    by_hand = ((p * (p / q).log()).sum(-1).mean() + (q * (q / p).log()).sum(-1).mean()) / 2
    torch.testing.assert_close(consistency_loss(torch.cat([first, second]), regression=False), by_hand)
    assert consistency_loss(torch.cat([first, first]), regression=False).item() == pytest.approx(0, abs=1e-6)
    apart = (first - second).square().mean()
    torch.testing.assert_close(consistency_loss(torch.cat([first, second]), regression=True), apart)


def test_temperature_changes_the_loss() -> None:
    student, teacher = torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 5.0]])
    losses = {logit_loss(student, teacher, t, regression=False).item() for t in (1.0, 2.0, 10.0)}
    assert len(losses) == 3


def pairs(architecture: Architecture) -> list[tuple[int, int]]:
    return Distillation().pairs(architecture)


def test_fading_takes_the_weight_of_the_logits_alone() -> None:
    weights = Distillation(logits=2.0, fading=True)
    assert [weights.at(progress).logits for progress in (0.0, 0.25, 1.0)] == [2.0, 1.5, 0.0]
    assert (weights.at(1.0).labels, weights.at(1.0).hidden) == (1.0, 1.0)
    assert Distillation().at(0.5) == Distillation()


def test_layers_are_matched_by_place_and_the_last_with_the_last() -> None:
    """Layers 0, 1 and 3 of 6; teacher's layers from 0."""
    kept = Architecture.uniform(Dimensions(6, 2, 2, 4, 4), [0, 1, 3], 1, 1)
    assert pairs(kept) == [(0, 0), (1, 1), (2, 5)]
    assert pairs(Architecture.full(DIMS)) == [(i, i) for i in range(4)]


class TestHiddenLoss:
    teacher = tuple(torch.randn(2, 3, 4, generator=torch.Generator().manual_seed(i)) for i in range(5))
    mask = torch.tensor([[1, 1, 1], [1, 0, 0]])

    def test_equal_states_cost_nothing(self) -> None:
        full = Architecture.full(DIMS)
        assert hidden_loss(self.teacher, self.teacher, pairs(full), self.mask).item() == 0

    def test_kept_layers_are_matched_by_place_and_the_last_to_the_last(self) -> None:
        kept = Architecture.uniform(DIMS, [0, 2], 1, 1)
        student = (self.teacher[0], self.teacher[1], self.teacher[4])
        assert hidden_loss(student, self.teacher, pairs(kept), self.mask).item() == 0
        by_place = (self.teacher[0], self.teacher[1], self.teacher[3])
        assert hidden_loss(by_place, self.teacher, pairs(kept), self.mask).item() > 0.5

    def test_padding_has_no_influence(self) -> None:
        full = Architecture.full(DIMS)
        student = [state.clone() for state in self.teacher]
        student[2][1, 1:] += 100
        assert hidden_loss(student, self.teacher, pairs(full), self.mask).item() == 0
        student[2][1, 0] += 1
        assert hidden_loss(student, self.teacher, pairs(full), self.mask).item() > 0

    def test_is_in_units_of_the_teachers_variance(self) -> None:
        full = Architecture.full(DIMS)
        zeros = tuple(torch.zeros_like(state) for state in self.teacher)
        assert hidden_loss(zeros, self.teacher, pairs(full), self.mask).item() == pytest.approx(1.0)


def test_cosine_loss_is_the_mean_over_tokens_of_one_minus_the_cosine() -> None:
    teacher = torch.randn(2, 5, 8, generator=torch.Generator().manual_seed(1))
    student = torch.randn(2, 5, 8, generator=torch.Generator().manual_seed(2))
    mask = torch.tensor([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]])
    apart = []
    for row, count in ((0, 5), (1, 3)):
        for x, y in zip(student[row, :count].double(), teacher[row, :count].double(), strict=True):
            apart.append(1 - (x @ y) / (x.norm() * y.norm()))
    found = cosine_loss(student, teacher, mask)
    assert found.item() == pytest.approx(torch.stack(apart).mean().item(), rel=1e-5)
    assert cosine_loss(3 * teacher, teacher, mask).item() == pytest.approx(0, abs=1e-6)


def test_vectors_are_compared_in_units_of_the_teachers() -> None:
    draw = torch.Generator().manual_seed(0)
    teacher, student = (F.normalize(torch.randn(6, 8, generator=draw), dim=-1) for _ in range(2))
    assert float(vector_loss(teacher, teacher)) == 0
    wanted = float((2 - 2 * (student * teacher).sum(-1)).mean())  # of vectors of length 1
    for scale in (1.0, 3.0):
        assert float(vector_loss(scale * student, scale * teacher)) == pytest.approx(wanted, rel=1e-5)
