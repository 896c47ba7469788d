"""What every family promises. A test class per model type subclasses `FamilyContract`."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from onnx import ModelProto
from torch import nn

from compresskit.architecture import Architecture, Layer
from compresskit.engine.export import export_onnx
from compresskit.engine.graph_slicer import GraphSlicer
from compresskit.engine.variants import VARIANTS, check_equal
from compresskit.errors import ArchitectureError
from compresskit.families import Blueprint, blueprint_from_json
from compresskit.kept import Kept
from compresskit.pruning.extract import extract
from compresskit.pruning.reload import load_pruned
from compresskit.supernet.attention import quick_gradients
from compresskit.supernet.heads import heads_of
from compresskit.supernet.importance import Importance, reorder, sort_heads
from compresskit.supernet.network import SuperNetwork
from tests.pruning.written import write_pruned

LAYERS, HEADS, UNITS, HIDDEN, VOCABULARY = 4, 4, 24, 32, 60


def randomize(model: nn.Module, seed: int = 0) -> nn.Module:
    """Random norms and biases: at their initial ones and zeros many mistakes have no effect."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator) * 0.2)
            if parameter.dim() == 1:
                parameter.add_(0.5)
    return model.eval()


def make_batch(rows: int = 3, length: int = 7, seed: int = 1) -> dict[str, torch.Tensor]:
    """Ids (rows, length) with padding at the end of every row but the first."""
    generator = torch.Generator().manual_seed(seed)
    ids = torch.randint(5, VOCABULARY, (rows, length), generator=generator)
    mask = torch.ones_like(ids)
    for row in range(1, rows):
        mask[row, length - row :] = 0
    return {"input_ids": ids.where(mask.bool(), torch.ones_like(ids)), "attention_mask": mask}


def padded_batch(rows: int, length: int, *, left: bool) -> dict[str, torch.Tensor]:
    """As `make_batch`, with at least one token in every row, and padding on either side."""
    ids = torch.randint(5, VOCABULARY, (rows, length), generator=torch.Generator().manual_seed(length))
    padding = torch.arange(rows).clamp(max=length - 1)[:, None]
    mask = torch.arange(length) >= padding if left else torch.arange(length) < length - padding
    return {"input_ids": ids.where(mask, torch.ones_like(ids)), "attention_mask": mask.long()}


def irregular(units: int = UNITS) -> Architecture:
    """Scattered heads and units, a dropped layer, one without heads and one without units."""
    return Architecture(
        (
            Layer(Kept.of(HEADS, [1, 3]), Kept.of(units, range(0, units, 3))),
            Layer(Kept(HEADS, 0), Kept(units, 0)),
            Layer(Kept(HEADS, 0), Kept.of(units, [2, 3, 11])),
            Layer(Kept.of(HEADS, [0, 2, 3]), Kept(units, 0)),
        )
    )


def architectures(units: int = UNITS) -> dict[str, Architecture]:
    return {
        "irregular": irregular(units),
        "one head": Architecture(
            tuple(Layer(Kept.of(HEADS, [i]), Kept.of(units, [i, 20])) for i in range(LAYERS))
        ),
        "first layers": Architecture(
            tuple(
                Layer(Kept.first(HEADS, 2 if i < 2 else 0), Kept.first(units, 9 if i < 2 else 0))
                for i in range(LAYERS)
            )
        ),
    }


ARCHITECTURES = architectures()


def gradients(supernet: SuperNetwork, architecture: Architecture, batch: Any) -> dict[str, torch.Tensor]:
    """Of the summed squares of the logits, by parameter."""
    supernet.zero_grad(set_to_none=True)
    supernet(architecture, **batch).logits.square().sum().backward()
    return {name: value.grad for name, value in supernet.named_parameters() if value.grad is not None}


class FamilyContract:
    """Subclasses give `make_model`, with the sizes at the top of this file."""

    atol: ClassVar[float] = 1e-5
    units: ClassVar[int] = UNITS

    def make_model(self) -> nn.Module:
        raise NotImplementedError

    def batch(self, rows: int = 3, length: int = 7) -> dict[str, torch.Tensor]:
        """Inputs of the model, some of them padded where rows may differ in length."""
        return make_batch(rows, length)

    def served(self) -> Iterator[tuple[dict[str, torch.Tensor], bool]]:
        """Inputs of all shapes that a graph takes, and whether its answers are those of PyTorch."""
        for rows, length, left in itertools.product((1, 3, 8), (1, 8, 29), (False, True)):
            # padding itself may be what the head reads, and what it holds means nothing
            yield padded_batch(rows, length, left=left), not left

    @property
    def architectures(self) -> dict[str, Architecture]:
        return architectures(self.units)

    @pytest.fixture
    def model(self) -> nn.Module:
        torch.manual_seed(0)
        return randomize(self.make_model())

    @pytest.fixture
    def supernet(self, model: nn.Module) -> SuperNetwork:
        return SuperNetwork(model)

    def test_dimensions_are_read(self, supernet: SuperNetwork) -> None:
        dims = supernet.blueprint.dims
        assert (dims.num_layers, dims.num_heads, dims.num_units) == (LAYERS, HEADS, self.units)
        assert (dims.hidden_size, dims.head_size) == (HIDDEN, HIDDEN // HEADS)

    def test_every_named_parameter_exists(self, supernet: SuperNetwork) -> None:
        family, shapes = supernet.blueprint.family, supernet.blueprint.shapes
        for layer in range(LAYERS):
            for each in supernet.blueprint.projections(layer):
                assert f"{each.module}.weight" in shapes
        for module in (*family.once_linears, *family.token_linears):
            assert f"{module}.weight" in shapes
        assert len(supernet.blueprint.plan(supernet.full).cuts) == len(shapes)

    def test_full_architecture_is_identity(self, supernet: SuperNetwork) -> None:
        batch = self.batch()
        pruned = extract(supernet.model, supernet.full)
        assert supernet.blueprint.plan(supernet.full).identities == {}
        torch.testing.assert_close(pruned(**batch).logits, supernet.model(**batch).logits, rtol=0, atol=0)

    @pytest.mark.parametrize("name", ARCHITECTURES)
    def test_sub_network_equals_pruned_model(self, supernet: SuperNetwork, name: str) -> None:
        batch, architecture = self.batch(), self.architectures[name]
        sliced = supernet(architecture, **batch).logits
        pruned = extract(supernet.model, architecture).eval()(**batch).logits
        torch.testing.assert_close(sliced, pruned, rtol=0, atol=self.atol)
        assert not torch.allclose(sliced, supernet.model(**batch).logits, atol=1e-3)

    def test_each_layer_may_be_dropped(self, supernet: SuperNetwork) -> None:
        """The first, the last, and others, one after another in one super-network."""
        batch = self.batch()
        for dropped in range(LAYERS):
            kept = set(range(LAYERS)) - {dropped}
            architecture = Architecture.uniform(
                supernet.blueprint.dims, kept, HEADS - 1, self.units - dropped - 1
            )
            found = supernet(architecture, **batch).logits
            wanted = extract(supernet.model, architecture).eval()(**batch).logits
            torch.testing.assert_close(found, wanted, rtol=0, atol=self.atol)

    def test_dropped_parts_have_no_influence(self, supernet: SuperNetwork) -> None:
        batch, architecture = self.batch(), irregular(self.units)
        before = supernet(architecture, **batch).logits
        plan = supernet.blueprint.plan(architecture)
        parameters = dict(supernet.model.named_parameters())
        with torch.no_grad():
            for name in parameters.keys() - {cut.source for cut in plan.cuts.values()}:
                parameters[name].fill_(77.0)
        torch.testing.assert_close(supernet(architecture, **batch).logits, before, rtol=0, atol=0)

    def test_gradients_reach_the_kept_slices_only(self, supernet: SuperNetwork) -> None:
        supernet(irregular(self.units), **self.batch()).logits.square().sum().backward()
        parameters = dict(supernet.model.named_parameters())
        for each in supernet.blueprint.projections(0):
            found = parameters[f"{each.module}.weight"].grad
            assert found is not None
            slopes = found.abs().sum(1 - each.dim)
            kept = each.places(np.asarray(irregular(self.units).layers[0].kept(each.kind).indices))
            assert slopes[kept].min() > 0
            assert slopes[np.setdiff1d(np.arange(len(slopes)), kept)].max() == 0
        for each in supernet.blueprint.projections(1):
            assert parameters[f"{each.module}.weight"].grad is None

    @pytest.mark.parametrize("name", ARCHITECTURES)
    def test_embeddings_learn_as_those_of_the_pruned_model(self, supernet: SuperNetwork, name: str) -> None:
        pruned = extract(supernet.model, self.architectures[name]).eval()
        pruned(**self.batch()).logits.square().sum().backward()
        gradients(supernet, self.architectures[name], self.batch())
        models: tuple[Any, Any] = supernet.model, pruned
        found, wanted = (next(each.get_input_embeddings().parameters()).grad for each in models)
        torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-5)

    @pytest.mark.parametrize("name", ARCHITECTURES)
    def test_quick_gradients_are_the_same(self, supernet: SuperNetwork, name: str) -> None:
        fused = gradients(supernet, self.architectures[name], self.batch())
        with quick_gradients(supernet, [7]):
            plain = gradients(supernet, self.architectures[name], self.batch())
        assert fused.keys() == plain.keys()
        for parameter, gradient in fused.items():
            torch.testing.assert_close(plain[parameter], gradient, rtol=1e-4, atol=1e-5)

    @pytest.mark.parametrize("name", ARCHITECTURES)
    def test_parameter_formula_equals_count(self, supernet: SuperNetwork, name: str) -> None:
        pruned = extract(supernet.model, self.architectures[name])
        counted = sum(parameter.numel() for parameter in pruned.parameters())
        assert supernet.blueprint.num_params(self.architectures[name]) == counted

    @pytest.mark.parametrize("name", ARCHITECTURES)
    def test_macs_formula_equals_count(self, supernet: SuperNetwork, name: str) -> None:
        from torch.utils.flop_counter import FlopCounterMode

        pruned: Any = extract(supernet.model, self.architectures[name]).eval().requires_grad_(False)
        pruned.config._attn_implementation = "eager"
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            pruned(**self.batch(rows=2, length=6))
        assert counter.get_total_flops() == 2 * supernet.blueprint.macs(self.architectures[name], 6, batch=2)

    def test_weights_survive_save_and_load(self, supernet: SuperNetwork, tmp_path: Path) -> None:
        from compresskit.pipeline.training.models import load_model, save_model

        save_model(supernet.model, tmp_path / "model")
        loaded = load_model(tmp_path / "model").eval()
        batch = self.batch()
        torch.testing.assert_close(loaded(**batch).logits, supernet.model(**batch).logits, rtol=0, atol=0)

    def test_blueprint_survives_json(self, supernet: SuperNetwork) -> None:
        blueprint = blueprint_from_json(supernet.blueprint.to_json())
        assert isinstance(blueprint, Blueprint)
        assert blueprint == supernet.blueprint

    def test_invalid_architectures_raise(self, supernet: SuperNetwork) -> None:
        short = Architecture(irregular(self.units).layers[:3])
        with pytest.raises(ArchitectureError, match=f"3 layers, 4 heads, {self.units} units"):
            supernet.blueprint.plan(short)
        with pytest.raises(ArchitectureError, match="no layer is left"):
            Architecture((Layer(Kept(HEADS, 0), Kept(UNITS, 0)),))

    def test_reordering_members_changes_nothing(self, supernet: SuperNetwork) -> None:
        before = supernet.model(**self.batch()).logits
        weights = [value.clone() for value in supernet.model.parameters()]
        scores = Importance(torch.randn(LAYERS, HEADS), torch.randn(LAYERS, self.units))
        reorder(supernet.model, supernet.blueprint, scores)
        torch.testing.assert_close(supernet.model(**self.batch()).logits, before, rtol=0, atol=self.atol)
        moved = [not torch.equal(*pair) for pair in zip(weights, supernet.model.parameters(), strict=True)]
        assert sum(moved) >= LAYERS * 4  # of each layer what reads and what writes

    def test_reordered_models_are_saved_and_pruned(self, supernet: SuperNetwork, tmp_path: Path) -> None:
        from compresskit.pipeline.training.models import load_model, save_model

        batch, architecture, model = self.batch(), irregular(self.units), supernet.model
        reorder(
            model, supernet.blueprint, Importance(torch.randn(LAYERS, HEADS), torch.randn(LAYERS, self.units))
        )
        save_model(model, tmp_path / "model")
        loaded = SuperNetwork(load_model(tmp_path / "model").eval())
        torch.testing.assert_close(loaded(**batch).logits, model(**batch).logits, rtol=0, atol=0)
        pruned = extract(model, architecture).eval()
        wanted = pruned(**batch).logits
        torch.testing.assert_close(loaded(architecture, **batch).logits, wanted, rtol=0, atol=self.atol)
        for name in ("as it is", "with its heads in order"):
            (tmp_path / name).mkdir()
            write_pruned(tmp_path / name, pruned, architecture)
            found = load_pruned(tmp_path / name)(**batch).logits
            torch.testing.assert_close(found, wanted, rtol=0, atol=self.atol)
            sort_heads(pruned, supernet.blueprint)
        assert all(ids.tolist() == sorted(ids.tolist()) for ids in heads_of(pruned).values())

    def test_onnx_graphs_equal_torch_and_each_other(self, supernet: SuperNetwork) -> None:
        """Sliced and exported again, in every form, at any batch, shorter and longer than traced, padded
        on either side."""
        slicer = GraphSlicer(export_onnx(supernet.model), supernet.blueprint)
        for name, architecture in self.architectures.items():
            pruned = extract(supernet.model, architecture).eval()
            graph = slicer.slice(architecture)
            for variant in VARIANTS if name == "irregular" else ():
                check_equal(graph, variant.apply(deepcopy(graph)), variant.session)
            sliced = _session(graph)
            fresh = sliced if name == "first layers" else _session(export_onnx(pruned))  # seconds each
            names = {item.name for item in fresh.get_inputs()}
            assert names == {item.name for item in sliced.get_inputs()}
            for batch, is_torch in self.served():
                feed = {name: value.numpy() for name, value in batch.items()}
                feed |= {name: np.zeros_like(next(iter(feed.values()))) for name in names - feed.keys()}
                found, again = (session.run(["logits"], feed)[0] for session in (sliced, fresh))
                np.testing.assert_allclose(found, again, rtol=0, atol=1e-5)
                if is_torch:
                    wanted = pruned(**batch).logits.detach().numpy()
                    np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-4)


def _session(model: ModelProto) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
