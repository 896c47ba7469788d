from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from benchmarks.recipe.ridge import Moments, refit
from compresskit.architecture import Architecture
from compresskit.spaces import kept_layers
from compresskit.supernet.network import SuperNetwork
from tests.engine.models import make_model


def batches(count: int = 4) -> list[dict[str, torch.Tensor]]:
    generator = torch.Generator().manual_seed(0)
    made = []
    for _ in range(count):
        mask = torch.ones(8, 12, dtype=torch.long)
        mask[:, 9:] = 0
        made.append(
            {
                "input_ids": torch.randint(3, 60, (8, 12), generator=generator),
                "attention_mask": mask,
                "labels": torch.zeros(8, dtype=torch.long),
            }
        )
    return made


def test_a_projection_moves_to_the_least_squares() -> None:
    generator = torch.Generator().manual_seed(1)
    fed = torch.randn(4000, 5, generator=generator)
    linear, wanted = nn.Linear(5, 3), nn.Linear(5, 3)
    moments = Moments()
    with torch.no_grad():
        for part in fed.view(4, 1000, 5):
            moments.add(part, wanted(part))
        moments.move(linear)
    # The ridge of 3 % keeps as much of where it was.
    assert torch.allclose(linear.weight, wanted.weight, atol=0.05)
    assert torch.allclose(linear.bias, wanted.bias, atol=0.01)


@pytest.mark.parametrize("model_type", ["bert", "distilbert", "roberta"])
def test_refitting_brings_the_last_hidden_states_nearer_to_the_teachers(model_type: str) -> None:
    teacher = make_model(model_type).eval()
    network = SuperNetwork(copy.deepcopy(teacher))
    network.eval()
    dims = network.blueprint.dims
    depth = max(1, dims.num_layers - 1)
    kept = Architecture.uniform(
        dims, kept_layers(dims.num_layers, depth), dims.num_heads // 2, dims.num_units // 2
    )
    before = copy.deepcopy(network.model.state_dict())

    def distance() -> float:
        total = 0.0
        with torch.no_grad():
            for batch in batches():
                inputs = {name: value for name, value in batch.items() if name != "labels"}
                ours = network(kept, **inputs, output_hidden_states=True).hidden_states[-1]
                theirs = teacher(**inputs, output_hidden_states=True).hidden_states[-1]
                total += float((ours - theirs)[:, :9].square().sum())
        return total

    far = distance()
    refit(network, kept, teacher, batches())
    assert distance() < 0.7 * far
    family = network.blueprint.family
    for name, value in network.model.state_dict().items():
        moved = name.rpartition(".")[0].endswith((family.attention.writes, family.feed_forward.writes))
        assert moved or torch.equal(value, before[name]), name
    name = f"{family.stem}.{dims.num_layers - 1}.{family.feed_forward.writes}.weight"
    cut_off = slice(dims.num_units // 2, None)
    assert torch.equal(network.model.state_dict()[name][:, cut_off], before[name][:, cut_off])
