from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from transformers import BertConfig, BertForSequenceClassification

from compresskit.supernet.importance import (
    fisher_importance,
    magnitude_importance,
    reorder,
    taylor_importance,
)
from compresskit.supernet.surgery import blueprint_of
from tests.contracts.family import HEADS, LAYERS, UNITS, make_batch, randomize
from tests.families.test_bert import SIZES


@pytest.fixture
def model() -> nn.Module:
    return randomize(BertForSequenceClassification(BertConfig(**SIZES)))


def loss(network: nn.Module, batch: dict[str, torch.Tensor]) -> torch.Tensor:
    return F.cross_entropy(network(**batch).logits, torch.tensor([0, 1, 1]))


def test_reordering_leaves_the_function_as_it_is(model: nn.Module) -> None:
    before = model(**make_batch()).logits
    blueprint = blueprint_of(model)
    reorder(model, blueprint, taylor_importance(model, blueprint, [make_batch()], loss))
    torch.testing.assert_close(model(**make_batch()).logits, before, rtol=0, atol=1e-5)


def test_after_reordering_scores_descend(model: nn.Module) -> None:
    blueprint = blueprint_of(model)
    scores = magnitude_importance(model, blueprint)
    assert scores.heads.shape == (LAYERS, HEADS)
    assert scores.units.shape == (LAYERS, UNITS)
    reorder(model, blueprint, scores)
    after = magnitude_importance(model, blueprint)
    for row in (*after.heads, *after.units):
        assert (row.diff() <= 1e-6).all()


def test_taylor_score_is_the_slope_of_the_loss_in_a_units_mask(model: nn.Module) -> None:
    """|d loss / d mask| by central differences in double precision, unit by unit."""
    model.double()
    batch = make_batch()
    scores = taylor_importance(model, blueprint_of(model), [batch], loss)
    down = model.get_submodule("bert.encoder.layer.2.output.dense")
    weight = down.weight
    assert isinstance(weight, nn.Parameter)
    for unit in (0, 7):
        slopes = []
        for step in (1e-5, -1e-5):
            with torch.no_grad():
                saved = weight[:, unit].clone()
                weight[:, unit] *= 1 + step
                slopes.append(loss(model, batch).item())
                weight[:, unit] = saved
        slope = abs(slopes[0] - slopes[1]) / 2e-5
        assert scores.units[2, unit].item() == pytest.approx(slope, rel=1e-4)


def test_taylor_score_adds_magnitudes_over_batches(model: nn.Module) -> None:
    blueprint = blueprint_of(model)
    one, two = (taylor_importance(model, blueprint, [make_batch(seed=s)], loss) for s in (1, 2))
    both = taylor_importance(model, blueprint, [make_batch(seed=1), make_batch(seed=2)], loss)
    torch.testing.assert_close(both.heads, one.heads + two.heads)


def test_no_batches_raise(model: nn.Module) -> None:
    with pytest.raises(ValueError, match="at least one batch"):
        taylor_importance(model, blueprint_of(model), [], loss)


def test_fisher_score_is_the_sum_of_squared_slopes_of_each_row(model: nn.Module) -> None:
    """d loss / d mask of a row alone, by central differences in double precision, member by member."""
    model.double()
    blueprint, batch = blueprint_of(model), make_batch()
    labels = torch.tensor([0, 1, 1])

    def of_rows() -> torch.Tensor:
        return F.cross_entropy(model(**batch).logits, labels, reduction="none")

    scores = fisher_importance(model, blueprint, [batch], loss)
    size = blueprint.dims.head_size
    for module, layer, start, stop, found in (
        ("attention.output.dense", 1, 3 * size, 4 * size, scores.heads[1, 3]),
        ("output.dense", 2, 7, 8, scores.units[2, 7]),
    ):
        weight = model.get_submodule(f"bert.encoder.layer.{layer}.{module}").weight
        assert isinstance(weight, nn.Parameter)
        losses = []
        with torch.no_grad():
            saved = weight[:, start:stop].clone()
            for step in (1e-5, -1e-5):
                weight[:, start:stop] = saved * (1 + step)
                losses.append(of_rows())
            weight[:, start:stop] = saved
        slopes = (losses[0] - losses[1]) / 2e-5
        assert found.item() == pytest.approx(slopes.square().sum().item(), rel=1e-3)


def test_fisher_score_adds_up_over_batches_of_any_size(model: nn.Module) -> None:
    blueprint = blueprint_of(model)

    def of_zeros(network: nn.Module, batch: dict[str, torch.Tensor]) -> torch.Tensor:
        rows = len(batch["input_ids"])
        return F.cross_entropy(network(**batch).logits, torch.zeros(rows, dtype=torch.long))

    whole = make_batch(rows=3)
    single = [{name: value[i : i + 1] for name, value in whole.items()} for i in range(3)]
    one, three = (fisher_importance(model, blueprint, batches, of_zeros) for batches in ([whole], single))
    torch.testing.assert_close(one.heads, three.heads, rtol=1e-3, atol=1e-7)
    torch.testing.assert_close(one.units, three.units, rtol=1e-3, atol=1e-7)
    assert not any(module._forward_pre_hooks for module in model.modules())
