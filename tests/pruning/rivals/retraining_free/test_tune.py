"""Tuning against a plain numpy walk through the layers of a BERT."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from compresskit.architecture import Architecture, Dimensions, Layer
from compresskit.kept import Kept
from compresskit.pruning.rivals.retraining_free.tune import tune
from compresskit.supernet.network import SuperNetwork
from tests.contracts.family import HEADS, LAYERS, UNITS, irregular, make_batch, randomize
from tests.families import test_distilbert, test_modernbert, test_roberta
from tests.training.make import make_model


def pruned() -> Architecture:
    return Architecture(
        tuple(
            Layer(Kept.of(HEADS, [i % HEADS, 3 - i % 2]), Kept.of(UNITS, range(i, UNITS, 2)))
            for i in range(LAYERS)
        )
    )


def batches() -> list[dict[str, torch.Tensor]]:
    return [make_batch(rows=6, length=9, seed=seed) for seed in range(4)]


def hidden(supernet: SuperNetwork, architecture: Architecture | None, batch: dict[str, torch.Tensor]) -> Any:
    with torch.no_grad():
        return supernet(architecture, **batch, output_hidden_states=True).hidden_states


def test_first_attention_is_scaled_as_lstsq_says() -> None:
    """Equations of layer 0, written out from its own weights in double precision."""
    dense = randomize(make_model()).double()
    tuned = copy.deepcopy(dense)
    architecture = pruned()
    assert tune(tuned, architecture, dense, batches()).rejected < 2 * LAYERS
    layer: Any = dense.get_submodule("bert.encoder.layer.0")
    size, rows, wanted = 8, [], []
    keep = architecture.layers[0].heads.indices
    fed: list[torch.Tensor] = []
    handle = layer.attention.output.dense.register_forward_pre_hook(lambda _, given: fed.append(given[0]))
    for batch in batches():
        fed.clear()
        hidden(SuperNetwork(dense), None, batch)
        real = batch["attention_mask"].bool()
        context = fed[0][real].numpy()
        weight = layer.attention.output.dense.weight.detach().numpy()
        columns = [slice(i * size, (i + 1) * size) for i in range(HEADS)]
        parts = [context[:, each] @ weight[:, each].T for each in columns]
        rows.append(np.stack([parts[i].reshape(-1) for i in keep], axis=1))
        wanted.append(np.sum(parts, axis=0).reshape(-1))
    handle.remove()
    expected = np.linalg.lstsq(np.concatenate(rows), np.concatenate(wanted))[0]
    before, after = (
        network.get_parameter("bert.encoder.layer.0.attention.output.dense.weight").detach()
        for network in (dense, tuned)
    )
    for head, each in enumerate(columns):
        scale = expected[keep.index(head)] if head in keep else 1.0
        np.testing.assert_allclose(after[:, each].numpy(), before[:, each].numpy() * scale, rtol=1e-4)


@pytest.mark.parametrize("family", ["bert", "distilbert", "roberta", "modernbert"])
def test_outputs_come_nearer_to_the_dense_models(family: str) -> None:
    torch.manual_seed(0)
    makers = {
        "bert": make_model,
        "distilbert": test_distilbert.TestDistilBert().make_model,
        "roberta": test_roberta.TestRoberta().make_model,
        "modernbert": test_modernbert.TestModernBert().make_model,
    }
    dense = randomize(makers[family]()).double()
    tuned, architecture = copy.deepcopy(dense), pruned()
    tune(tuned, architecture, dense, batches())
    plain, better = SuperNetwork(dense), SuperNetwork(tuned)

    def apart(network: SuperNetwork) -> float:
        total = 0.0
        for batch in batches():
            wanted, found = hidden(plain, None, batch)[-1], hidden(network, architecture, batch)[-1]
            total += float((wanted - found)[batch["attention_mask"].bool()].square().sum())
        return total

    # A residual stream that is never normed gains less: what was lost before stays in it.
    assert apart(better) < (0.97 if family == "modernbert" else 0.9) * apart(plain)


def test_keeping_everything_changes_nothing() -> None:
    dense = randomize(make_model()).double()
    tuned = copy.deepcopy(dense)
    full = SuperNetwork(dense).full
    assert tune(tuned, full, dense, batches()).rejected == 0
    for name, value in tuned.state_dict().items():
        torch.testing.assert_close(value, dense.state_dict()[name], rtol=0, atol=1e-8)


def test_a_layer_without_heads_is_refused() -> None:
    model: nn.Module = make_model()
    with pytest.raises(ValueError, match="a head and a unit in every layer"):
        tune(model, irregular(), model, batches())
    dims: Dimensions = SuperNetwork(model).blueprint.dims
    with pytest.raises(ValueError, match="a head and a unit"):
        tune(model, Architecture.uniform(dims, [0, 2], 1, 1), model, batches())
