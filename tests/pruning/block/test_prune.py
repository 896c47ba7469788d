from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from compresskit.architecture import Architecture
from compresskit.blocks import INPUTS, OUTPUTS, Partition
from compresskit.errors import ConfigurationError
from compresskit.pruning.block.matrices import MATRIX_GROUPS, BlockSetting, GroupSetting, modules_of
from compresskit.pruning.block.prune import hard_prune
from compresskit.pruning.block.pruned import PrunedBlocks
from compresskit.pruning.block.sort import sort_units
from compresskit.supernet.surgery import blueprint_of
from tests.engine.models import ARCHITECTURES, HEADS, LAYERS, UNITS, make_model, make_rows


def setting(
    rate: float = 2.0, axis: str = OUTPUTS, blocks: int = 2, groups: Any = MATRIX_GROUPS
) -> BlockSetting:
    return {group: GroupSetting(Partition(axis, blocks), rate) for group in groups}


def logits(model: nn.Module) -> torch.Tensor:
    rows = make_rows((7, 7, 7))
    inputs = {name: torch.tensor([row[name] for row in rows]) for name in rows[0]}
    with torch.no_grad():
        return model(**inputs).logits  # type: ignore[no-any-return]


def left(pruned: PrunedBlocks, group: str) -> list[float]:
    """Share of each matrix of a group that is left."""
    masks = [pruned.masks[f"{module}.weight"] for module in modules_of(pruned.blueprint, group)]
    return [float(mask.float().mean()) for mask in masks]


@pytest.mark.parametrize("axis", [OUTPUTS, INPUTS])
@pytest.mark.parametrize("rate", [1.5, 2.0, 5.0])
def test_every_matrix_keeps_the_share_it_was_asked_for(axis: str, rate: float) -> None:
    pruned = hard_prune(make_model(), setting(rate, axis))
    for group in MATRIX_GROUPS:
        # one group of at most 24 weights, of the 1,024 or 1,536 of a matrix
        np.testing.assert_allclose(left(pruned, group), 1 / rate, atol=24 / 1024)
    assert pruned.rate == pytest.approx(rate, rel=0.08)


def test_the_largest_groups_stay() -> None:
    model = make_model()
    pruned = hard_prune(model, setting(2.0, INPUTS, 2, ("up",)))
    for module in modules_of(pruned.blueprint, "up"):
        weight = model.get_parameter(f"{module}.weight").detach().double().numpy()  # (units, hidden)
        norms = np.array(
            [[np.sqrt((row[half] ** 2).sum()) for row in weight] for half in (slice(16), slice(16, 32))]
        )
        mask = pruned.masks[f"{module}.weight"].numpy()
        stays = np.stack([mask[:, 0], mask[:, 16]])
        assert norms[stays].min() >= norms[~stays].max()
        assert stays.sum() == UNITS


def test_global_scope_shares_one_threshold_over_the_layers() -> None:
    model = make_model()
    with torch.no_grad():
        for layer in range(LAYERS):
            model.get_parameter(f"bert.encoder.layer.{layer}.intermediate.dense.weight").mul_(3.0**layer)
    pruned = hard_prune(model, setting(2.0, INPUTS, 2, ("up",)), scope="global")
    shares = left(pruned, "up")
    assert shares[0] < 0.2 and shares[2] > 0.9
    assert sum(shares) / LAYERS == pytest.approx(0.5, abs=0.02)


def test_what_dies_in_every_block_is_gone_from_the_whole_layer() -> None:
    model = make_model()
    up, down = (f"bert.encoder.layer.1.{name}.weight" for name in ("intermediate.dense", "output.dense"))
    value = "bert.encoder.layer.0.attention.self.value.weight"
    with torch.no_grad():
        model.get_parameter(down)[:, [3, 5]] *= 1e-3
        model.get_parameter(up)[[7, 40]] *= 1e-3
        model.get_parameter(value)[8:16] *= 1e-3  # head 1
    pruned = hard_prune(
        model,
        {
            "up": GroupSetting(Partition(INPUTS, 2), 1.12),
            "down": GroupSetting(Partition(OUTPUTS, 2), 1.06),
            "qkv": GroupSetting(Partition(INPUTS, 2), 1.4),
        },
    )
    assert not pruned.units[1, [3, 5, 7, 40]].any()
    assert not pruned.heads[0, 1]
    assert not pruned.masks[up][[3, 5]].any() and not pruned.masks[down][:, [7, 40]].any()
    assert not pruned.masks["bert.encoder.layer.1.intermediate.dense.bias"][[3, 5, 7, 40]].any()
    output = "bert.encoder.layer.0.attention.output.dense.weight"  # not pruned itself
    assert not pruned.masks[output][:, 8:16].any() and pruned.masks[output][:, :8].all()
    kept = pruned.architecture
    assert kept.layers[0].heads.indices == (0, 2, 3)
    assert not {3, 5, 7, 40} & set(kept.layers[1].units.indices)


def test_every_matrix_keeps_something_however_hard_it_is_pruned() -> None:
    pruned = hard_prune(make_model(), setting(1e6), scope="global")
    assert all(mask.any() for name, mask in pruned.masks.items() if name.endswith("weight"))
    assert len(pruned.architecture.kept_layers) == LAYERS


@pytest.mark.parametrize("model_type", ["bert", "distilbert", "roberta", "modernbert"])
@pytest.mark.parametrize("axes", [(INPUTS, OUTPUTS), (OUTPUTS, OUTPUTS), (OUTPUTS, INPUTS)])
def test_sorting_units_changes_their_order_and_nothing_else(model_type: str, axes: tuple[str, str]) -> None:
    model = make_model(model_type)
    pruned = hard_prune(
        model,
        {
            "up": GroupSetting(Partition(axes[0], 2), 2.5),
            "down": GroupSetting(Partition(axes[1], 2), 2.5),
        },
    )
    pruned.apply(model)
    rows = make_rows((7, 7, 7))
    inputs = {name: torch.tensor([row[name] for row in rows]) for name in rows[0]}
    if model_type != "bert":
        del inputs["token_type_ids"]
    with torch.no_grad():
        before = model(**inputs).logits
        sorted_ = sort_units(model, pruned)
        torch.testing.assert_close(model(**inputs).logits, before, rtol=0, atol=1e-5)
        sorted_.apply(model)  # the masks moved along
        torch.testing.assert_close(model(**inputs).logits, before, rtol=0, atol=1e-5)
    if axes == (INPUTS, OUTPUTS):
        for name, matrix in sorted_.plan().items():
            assert name.endswith(("intermediate.dense", "lin1", "Wi")) or all(
                kept.is_run for kept in matrix.kept
            )
        assert all(layer.units.is_first for layer in sorted_.architecture.layers)


def test_the_plan_describes_the_sub_network_that_is_left() -> None:
    model = make_model()
    pruned = sort_units(model, hard_prune(model, setting(3.0, OUTPUTS, 2)))
    cuts = blueprint_of(model).plan(pruned.architecture)
    plan = dict(pruned.plan().items())
    assert len(plan) == 6 * LAYERS
    for name, matrix in plan.items():
        cut = cuts.cuts[f"{name}.weight"]
        np.testing.assert_array_equal(matrix.mask(), cut.apply(pruned.masks[cut.source].numpy()))
    assert pruned.plan().num_params == sum(
        int(mask.sum()) for name, mask in pruned.masks.items() if name.endswith("weight")
    )


def test_a_sub_network_can_be_pruned_further() -> None:
    model, start = make_model(), ARCHITECTURES["without parts"]
    pruned = sort_units(model, hard_prune(model, setting(1.5, INPUTS), start=start))
    found = pruned.architecture
    for before, after in zip(start.layers, found.layers, strict=True):
        assert not after.heads.mask & ~before.heads.mask
        assert 0 <= after.units.count <= before.units.count
        assert bool(after.units.mask) == bool(before.units.mask)
    plan = dict(pruned.plan().items())
    assert len(plan) == 2 * 4 + 2 * 2  # two layers have heads, two have units
    shapes = make_shapes(model, found)
    assert all(matrix.shape == shapes[f"{name}.weight"] for name, matrix in plan.items())


@pytest.mark.parametrize("scope", ["matrix", "global"])
def test_a_sub_network_without_heads_can_be_pruned(scope: str) -> None:
    model, start = make_model(), ARCHITECTURES["no heads at all"]
    found = hard_prune(model, setting(1.5, INPUTS), scope=scope, start=start).architecture
    assert [layer.heads.count for layer in found.layers] == [0] * LAYERS
    assert any(layer.units.count for layer in found.layers)


def make_shapes(model: nn.Module, architecture: Architecture) -> dict[str, tuple[int, ...]]:
    blueprint = blueprint_of(model)
    return blueprint.plan(architecture).shapes(blueprint.shapes)


def test_bad_settings_are_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"rate 0\.5"):
        GroupSetting(Partition(OUTPUTS, 2), 0.5)
    with pytest.raises(ConfigurationError, match="scope 'layer'"):
        hard_prune(make_model(), setting(), scope="layer")
    with pytest.raises(ConfigurationError, match="matrix group 'embeddings'"):
        modules_of(blueprint_of(make_model()), "embeddings")
    assert len(modules_of(blueprint_of(make_model()), "qkv")) == 3 * LAYERS
    assert HEADS == 4
