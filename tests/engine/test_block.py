from __future__ import annotations

import copy
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch

from compresskit.architecture import Architecture
from compresskit.blocks import INPUTS, OUTPUTS, BlockMatrix, BlockPlan, Partition
from compresskit.bundle.manifest import Manifest
from compresskit.bundle.session import make_session
from compresskit.engine.block import compact_graph, stored_blocks
from compresskit.engine.block_choice import BlockChooser, product_graph, random_matrix
from compresskit.engine.count import count_macs, count_params
from compresskit.engine.export import tensor_of
from compresskit.engine.folder import write_engine
from compresskit.engine.graph_slicer import GraphSlicer, transposed_weights
from compresskit.engine.score import logits_of
from compresskit.engine.variants import variant_named
from compresskit.engine.verify import torch_logits
from compresskit.errors import EngineError
from compresskit.kept import Kept
from compresskit.pruning.block.linear import compact
from compresskit.pruning.block.matrices import MATRIX_GROUPS, BlockSetting, GroupSetting
from compresskit.pruning.block.prune import hard_prune
from compresskit.pruning.block.sort import sort_units
from compresskit.pruning.extract import extract
from compresskit.pruning.reload import load_pruned
from tests.engine.models import make_rows
from tests.engine.test_folder import make_tokenizer

# (axis, blocks) of queries/keys/values, attention output, up and down
CUTS = {
    "outputs": ((OUTPUTS, 2), (OUTPUTS, 2), (OUTPUTS, 2), (OUTPUTS, 2)),
    "inputs": ((INPUTS, 2), (INPUTS, 2), (INPUTS, 2), (INPUTS, 2)),
    "hidden": ((INPUTS, 4), (OUTPUTS, 4), (INPUTS, 2), (OUTPUTS, 2)),
    "uneven": ((OUTPUTS, 3), (INPUTS, 3), (OUTPUTS, 5), (INPUTS, 7)),
}


def setting_of(cuts: str, rate: float) -> BlockSetting:
    return {
        group: GroupSetting(Partition(*cut), rate)
        for group, cut in zip(MATRIX_GROUPS, CUTS[cuts], strict=True)
    }


def pruned_model(made: Any, cuts: str, rate: float) -> tuple[torch.nn.Module, Any]:
    """A masked model in the dense shapes, and what was pruned of it."""
    masked = copy.deepcopy(made.model)
    pruned = sort_units(masked, hard_prune(masked, setting_of(cuts, rate)))
    pruned.apply(masked)
    return masked, pruned


def slice_of(made: Any, masked: torch.nn.Module, architecture: Architecture) -> onnx.ModelProto:
    """Cut from the export of `made`, with the weights of `masked`."""
    graph, turned = copy.deepcopy(made.plain), transposed_weights(made.plain)
    weights = dict(masked.named_parameters())
    for item in graph.graph.initializer:
        if item.name in weights:
            value = weights[item.name].detach().numpy()
            item.CopyFrom(tensor_of(item.name, value.T if item.name in turned else value))
    return GraphSlicer(graph, made.blueprint).slice(architecture)


@pytest.mark.parametrize("rate", [1.5, 5.0])
@pytest.mark.parametrize("cuts", CUTS)
@pytest.mark.parametrize("model_type", ["bert", "distilbert", "roberta", "modernbert"])
def test_masked_and_compacted_models_and_graphs_agree(
    exported: Callable[[str], Any], model_type: str, cuts: str, rate: float
) -> None:
    made = exported(model_type)
    masked, pruned = pruned_model(made, cuts, rate)
    plan = pruned.plan()
    rows = make_rows()
    wanted = torch_logits(masked, rows)
    compacted = compact(extract(masked, pruned.architecture), plan)
    np.testing.assert_allclose(torch_logits(compacted, rows), wanted, rtol=0, atol=1e-5)
    graph = compact_graph(slice_of(made, masked, pruned.architecture), plan)
    onnx.checker.check_model(graph, full_check=True)
    np.testing.assert_allclose(logits_of(graph, rows), wanted, rtol=0, atol=1e-5)
    operators = {node.op_type for node in graph.graph.node}
    assert not operators & {"ScatterElements", "ScatterND"}
    # one zero a block or output that keeps nothing
    stored = stored_blocks(graph, plan).num_params
    assert plan.num_params <= stored <= plan.num_params * 1.03 + 48 * len(plan)
    total = sum(value.numel() for value in compacted.parameters())
    assert count_params(graph) - total == stored - plan.num_params


@pytest.mark.parametrize(
    "name", ["plain", "first-token", "first-token-onnx-attention", "first-token-multi-head"]
)
def test_it_follows_every_variant_that_leaves_products_alone(
    exported: Callable[[str], Any], name: str
) -> None:
    made, variant = exported("bert"), variant_named(name)
    masked, pruned = pruned_model(made, "hidden", 2.0)
    rows = make_rows()
    graph = variant.apply(slice_of(made, masked, pruned.architecture))
    graph = compact_graph(graph, pruned.plan())
    found = logits_of(graph, rows, variant.session)
    np.testing.assert_allclose(found, torch_logits(masked, rows), rtol=0, atol=1e-5)


def test_a_packed_product_is_refused(exported: Callable[[str], Any]) -> None:
    made = exported("bert")
    _, pruned = pruned_model(made, "hidden", 2.0)
    graph = variant_named("first-token-packed").apply(made.slicer.slice(pruned.architecture))
    with pytest.raises(EngineError, match=r"may be packed"):
        compact_graph(graph, pruned.plan())


def test_what_was_pruned_is_not_multiplied(exported: Callable[[str], Any]) -> None:
    made = exported("bert")
    masked, pruned = pruned_model(made, "outputs", 2.0)
    plan = pruned.plan()
    sliced = slice_of(made, masked, pruned.architecture)
    dense = count_macs(sliced, 1, 10)
    saved = sum(matrix.shape[0] * matrix.shape[1] - matrix.num_params for _, matrix in plan.items())
    assert dense - count_macs(compact_graph(sliced, plan), 1, 10) == 10 * saved


def test_two_blocks_of_sorted_units_need_no_gather(exported: Callable[[str], Any]) -> None:
    made = exported("bert")
    masked, pruned = pruned_model(made, "hidden", 3.0)
    plan = BlockPlan.of(
        {
            name: matrix
            for name, matrix in pruned.plan().items()
            if re.fullmatch(r".*\.\d\.output\.dense", name)
        }
    )
    before = slice_of(made, masked, pruned.architecture)
    gathers = Counter(node.op_type for node in before.graph.node)["Gather"]
    graph = compact_graph(before, plan)
    assert Counter(node.op_type for node in graph.graph.node)["Gather"] == gathers
    assert stored_blocks(graph, plan).index_bytes == 0


def test_an_engine_in_blocks_comes_back_from_its_folder(
    exported: Callable[[str], Any], tmp_path: Path
) -> None:
    made = exported("bert")
    masked, pruned = pruned_model(made, "hidden", 2.0)
    plan = pruned.plan()
    compacted = compact(extract(masked, pruned.architecture), plan)
    graph = compact_graph(slice_of(made, masked, pruned.architecture), plan)
    manifest = Manifest(
        architecture=pruned.architecture.to_json(),
        signature=pruned.architecture.signature,
        precision="fp32",
        metric_name="accuracy",
        test_metric=None,
        num_params=count_params(graph),
        macs=1,
        variant="plain",
        blocks={"matrices": plan.to_json(), "rate": 2.0},
    )
    written = write_engine(
        tmp_path / "engine", graph=graph, model=compacted, reader=make_tokenizer(), manifest=manifest
    )
    assert written.blocks == {"matrices": plan.to_json(), "rate": 2.0}
    assert "with 2.00 times fewer weights" in (tmp_path / "engine" / "README.md").read_text()
    rows = make_rows()
    found = torch_logits(load_pruned(tmp_path / "engine"), rows)
    np.testing.assert_allclose(found, torch_logits(masked, rows), rtol=0, atol=1e-6)


@pytest.mark.parametrize("axis", [OUTPUTS, INPUTS])
@pytest.mark.parametrize(("shape", "blocks"), [((24, 36), 1), ((24, 36), 2), ((24, 36), 4), ((72, 72), 72)])
@pytest.mark.parametrize("sort_members", [False, True])
def test_a_product_alone_computes_the_masked_product(
    axis: str, shape: tuple[int, int], blocks: int, sort_members: bool
) -> None:
    matrix = random_matrix(shape, Partition(axis, blocks), 3.0, sort_members=sort_members)
    assert matrix.num_params == shape[0] * shape[1] / 3
    tokens = np.random.default_rng(1).standard_normal((2, 5, shape[1])).astype(np.float32)
    weight = onnx.numpy_helper.to_array(product_graph(shape).graph.initializer[0])
    wanted = np.maximum(tokens @ (weight * matrix.mask().T), 0)
    graph = product_graph(shape, matrix)
    (found,) = make_session(graph.SerializeToString()).run(None, {"tokens": tokens})
    np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-5)


def test_a_matrix_stays_dense_where_blocks_are_not_faster() -> None:
    """A device on which a gather costs as much as 40 columns of a product of 16 inputs."""
    calls = []

    def measure(graph: Any) -> float:
        calls.append(graph)
        sizes = {item.name: item.dims for item in graph.graph.initializer}
        work = sum(
            sizes[n.input[1]][0] * sizes[n.input[1]][1] for n in graph.graph.node if n.op_type == "MatMul"
        )
        return float(work + 640 * sum(node.op_type == "Gather" for node in graph.graph.node))

    def of(start: int, step: int) -> BlockMatrix:
        kept = Kept.of(64, range(start, start + 16 * step, step))
        return BlockMatrix(OUTPUTS, (32, 32), (kept, kept))

    chooser = BlockChooser(measure)
    plan = BlockPlan.of({"run": of(3, 1), "gaps": of(0, 2), "other run": of(5, 1), "many": big()})
    chosen = chooser.faster(plan)
    assert [name for name, _ in chosen.items()] == ["gaps", "other run", "run"]
    assert chooser.gain(of(3, 1)) == 4.0
    assert chooser.gain(of(0, 2)) == pytest.approx(4096 / (1024 + 1280))
    assert len(calls) == 4  # the dense product, a run, one with gaps, and the large one


def big() -> BlockMatrix:
    """So little is pruned that gathers cost more."""
    kept = Kept.of(64, [i for i in range(64) if i % 8])
    return BlockMatrix(OUTPUTS, (32, 32), (kept, kept))
