from __future__ import annotations

import pytest
import torch
from torch import nn
from transformers import BertConfig, BertForSequenceClassification

from benchmarks.recipe.depth_parts import HEAD, NORMS, PARTS, SuperNetworkWithParts
from compresskit.architecture import Architecture
from compresskit.errors import ConfigurationError
from compresskit.pruning.extract import extract
from compresskit.supernet.network import SuperNetwork
from tests.contracts.family import LAYERS, irregular, make_batch, randomize
from tests.families.test_bert import SIZES


@pytest.fixture
def model() -> nn.Module:
    return randomize(BertForSequenceClassification(BertConfig(**SIZES)))


def uniform(supernet: SuperNetwork, *layers: int) -> Architecture:
    return Architecture.uniform(supernet.blueprint.dims, layers, 2, 8)


def changed(supernet: SuperNetworkWithParts) -> SuperNetworkWithParts:
    """All parts of their own moved away from the shared ones."""
    with torch.no_grad():
        for number, value in enumerate(supernet.own.values.values()):
            value += torch.randn(value.shape, generator=torch.Generator().manual_seed(number))
    return supernet


def test_start_as_the_shared_ones(model: nn.Module) -> None:
    with_parts, without = SuperNetworkWithParts(model, PARTS), SuperNetwork(model)
    architecture = uniform(without, 0, 3)
    wanted = without(architecture, **make_batch()).logits
    assert torch.equal(with_parts(architecture, **make_batch()).logits, wanted)


def test_each_depth_below_the_full_one_has_its_own(model: nn.Module) -> None:
    supernet = SuperNetworkWithParts(model, PARTS)
    before = {depth: supernet(uniform(supernet, *range(depth)), **make_batch()).logits for depth in (1, 2, 4)}
    with torch.no_grad():
        for key, value in supernet.own.values.items():
            if key.startswith("2/"):
                value += 1
    after = {depth: supernet(uniform(supernet, *range(depth)), **make_batch()).logits for depth in (1, 2, 4)}
    assert [torch.equal(after[depth], before[depth]) for depth in (1, 2, LAYERS)] == [True, False, True]


@pytest.mark.parametrize("parts", [(NORMS,), (HEAD,), PARTS])
def test_extraction_takes_what_was_trained(model: nn.Module, parts: tuple[str, ...]) -> None:
    supernet = changed(SuperNetworkWithParts(model, parts))
    for architecture in (irregular(), uniform(supernet, 1, 2), supernet.full):
        pruned = extract(supernet.dense_for(architecture), architecture).eval()
        wanted = supernet(architecture, **make_batch()).logits
        torch.testing.assert_close(pruned(**make_batch()).logits, wanted, rtol=0, atol=1e-5)


def test_names_are_norms_output_biases_and_head(model: nn.Module) -> None:
    norms, head = (SuperNetworkWithParts(model, (part,)).own for part in (NORMS, HEAD))
    layer = "bert.encoder.layer.1."
    assert {name.removeprefix(layer) for name in norms.names if name.startswith(layer)} == {
        "attention.output.LayerNorm.weight",
        "attention.output.LayerNorm.bias",
        "attention.output.dense.bias",
        "output.LayerNorm.weight",
        "output.LayerNorm.bias",
        "output.dense.bias",
    }
    assert len(norms.names) == 6 * LAYERS
    assert set(head.names) == {
        f"{module}.{leaf}" for module in ("bert.pooler.dense", "classifier") for leaf in ("weight", "bias")
    }


def test_gradients_reach_the_parts_of_the_depth_alone(model: nn.Module) -> None:
    supernet = SuperNetworkWithParts(model, PARTS)
    supernet(uniform(supernet, 0, 2), **make_batch()).logits.sum().backward()
    moved = {key.partition("/")[0] for key, value in supernet.own.values.items() if value.grad is not None}
    assert moved == {"2"}
    assert supernet.model.get_parameter("classifier.weight").grad is None


def test_state_comes_back(model: nn.Module) -> None:
    supernet = changed(SuperNetworkWithParts(model, PARTS))
    other = SuperNetworkWithParts(
        randomize(BertForSequenceClassification(BertConfig(**SIZES)), seed=5), PARTS
    )
    other.load_state_dict(supernet.state_dict())
    architecture = uniform(supernet, 0, 1, 3)
    assert torch.equal(
        other(architecture, **make_batch()).logits, supernet(architecture, **make_batch()).logits
    )


def test_without_parts_all_is_shared(model: nn.Module) -> None:
    supernet = SuperNetworkWithParts(model)
    found = supernet.dense_for(uniform(supernet, 0)).state_dict()
    assert all(torch.equal(found[name], value) for name, value in model.state_dict().items())


def test_unknown_part_raises(model: nn.Module) -> None:
    with pytest.raises(ConfigurationError, match=r"'bodies'.*norms"):
        SuperNetworkWithParts(model, ("bodies",))
