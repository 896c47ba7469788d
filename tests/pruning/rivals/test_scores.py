"""Mask gradients against a loop over rows, and against central differences in double precision."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from compresskit.architecture import Architecture
from compresskit.pruning.extract import extract
from compresskit.pruning.rivals.scores import mask_gradients
from compresskit.supernet.importance import fisher_importance
from compresskit.supernet.surgery import blueprint_of
from tests.contracts.family import HEADS, LAYERS, UNITS, irregular, make_batch, randomize
from tests.training.make import make_model

LABELS = torch.tensor([0, 1, 1])


def labelled() -> dict[str, torch.Tensor]:
    return {**make_batch(), "labels": LABELS}


def loss(network: nn.Module, batch: dict[str, torch.Tensor]) -> torch.Tensor:
    inputs = {name: value for name, value in batch.items() if name != "labels"}
    return F.cross_entropy(network(**inputs).logits, batch["labels"])


@pytest.fixture
def model() -> nn.Module:
    return randomize(make_model()).double()


def test_a_batch_gives_what_its_rows_give_one_by_one(model: nn.Module) -> None:
    full, batch = Architecture.full(blueprint_of(model).dims), labelled()
    together = mask_gradients(model, full, [batch], loss)
    rows = [{name: value[i : i + 1] for name, value in batch.items()} for i in range(3)]
    apart = mask_gradients(model, full, rows, loss)
    assert together.heads.shape == (3, LAYERS, HEADS)
    assert together.units.shape == (3, LAYERS, UNITS)
    torch.testing.assert_close(together.heads, apart.heads, rtol=1e-4, atol=1e-7)
    torch.testing.assert_close(together.units, apart.units, rtol=1e-4, atol=1e-7)
    batch_mean = together.heads.double().mean(0).square()  # what the released code squares
    assert not torch.allclose(together.fisher().heads, batch_mean * 9)


def test_scores_of_the_dense_model_are_its_fisher_importance(model: nn.Module) -> None:
    blueprint = blueprint_of(model)
    scores = mask_gradients(model, Architecture.full(blueprint.dims), [labelled()], loss).fisher()
    wanted = fisher_importance(model, blueprint, [labelled()], loss)
    torch.testing.assert_close(scores.heads.float(), wanted.heads, rtol=1e-3, atol=1e-9)
    torch.testing.assert_close(scores.units.float(), wanted.units, rtol=1e-3, atol=1e-9)


def test_slopes_are_those_of_the_sub_network_by_central_differences(model: nn.Module) -> None:
    architecture, batch = irregular(), labelled()
    found = mask_gradients(model, architecture, [batch], loss)
    size = blueprint_of(model).dims.head_size
    # (layer of the dense model, its place, module, head or unit, its columns in the pruned model)
    for layer, place, name, member, start, stop in (
        (0, 0, "attention.output.dense", 3, size, 2 * size),
        (3, 2, "attention.output.dense", 2, size, 2 * size),
        (2, 1, "output.dense", 11, 2, 3),
        (0, 0, "output.dense", 6, 2, 3),
    ):
        pruned = extract(model, architecture).eval()
        weight = pruned.get_parameter(f"bert.encoder.layer.{place}.{name}.weight")
        losses = []
        with torch.no_grad():
            saved = weight[:, start:stop].clone()
            for step in (1e-5, -1e-5):
                weight[:, start:stop] = saved * (1 + step)
                logits = pruned(**make_batch()).logits
                losses.append(F.cross_entropy(logits, LABELS, reduction="none"))
            weight[:, start:stop] = saved
        slopes = (losses[0] - losses[1]) / 2e-5
        table = found.units if name == "output.dense" else found.heads
        torch.testing.assert_close(table[:, layer, member].double(), slopes, rtol=1e-3, atol=1e-6)


def test_what_is_gone_has_no_slope_and_the_model_stays(model: nn.Module) -> None:
    before = {name: value.clone() for name, value in model.state_dict().items()}
    found = mask_gradients(model, irregular(), [labelled()], loss)
    assert not found.units[:, 1].any()
    assert not found.heads[:, 2].any()
    assert not found.units[:, 3].any()
    assert not found.units[:, 0, 1].any()
    assert all(parameter.grad is None and parameter.requires_grad for parameter in model.parameters())
    for name, value in model.state_dict().items():
        torch.testing.assert_close(value, before[name], rtol=0, atol=0)


def test_no_batches_raise(model: nn.Module) -> None:
    with pytest.raises(ValueError, match="at least one batch"):
        mask_gradients(model, irregular(), [], loss)
