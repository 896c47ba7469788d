"""Whether block structure makes a product faster on a device: decided by measuring it there."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from onnx import ModelProto, TensorProto, helper

from compresskit.blocks import OUTPUTS, BlockMatrix, BlockPlan, Partition
from compresskit.engine.block import compact_graph
from compresskit.engine.canonical import OPSET
from compresskit.engine.export import IR_VERSION, tensor_of
from compresskit.pruning.block.sort import gray_rank

_MODULE = "matrix"
_ROUNDED = 16  # counts of kept members that share a measurement
MARGIN = 0.03  # what a product must gain: less is within what two measurements differ by


def product_graph(shape: tuple[int, int], matrix: BlockMatrix | None = None) -> ModelProto:
    """`tokens @ weight` for a weight (out, in) of random values, dense or in blocks."""
    rows, columns = shape
    weight = np.random.default_rng(0).standard_normal((columns, rows), dtype=np.float32) / columns**0.5
    sizes = {"tokens": columns, "product": rows}
    tokens, product = (
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", "length", size])
        for name, size in sizes.items()
    )
    node = helper.make_node("MatMul", ["tokens", f"{_MODULE}.weight"], ["dense"], name=f"{_MODULE}/MatMul")
    # What follows keeps the graph's output under its own name when the product is rewritten.
    relu = helper.make_node("Relu", ["dense"], ["product"], name="Relu")
    graph = helper.make_graph(
        [node, relu], "product", [tokens], [product], [tensor_of(f"{_MODULE}.weight", weight)]
    )
    model = helper.make_model(graph, ir_version=IR_VERSION, opset_imports=[helper.make_opsetid("", OPSET)])
    return model if matrix is None else compact_graph(model, BlockPlan.of({_MODULE: matrix}))


def random_matrix(
    shape: tuple[int, int], partition: Partition, rate: float, *, sort_members: bool, seed: int = 0
) -> BlockMatrix:
    """Structure of a weight (out, in) that keeps random groups, 1 / `rate` of them in each block.

    With `sort_members` those that serve the same blocks stand together, as sorted units do.
    """
    widths = partition.widths(shape)
    members = shape[1] if partition.axis == OUTPUTS else shape[0]
    generator = np.random.default_rng(seed)
    count = max(1, round(members / rate))
    stays = np.zeros((len(widths), members), dtype=np.bool_)
    for block in stays:
        block[generator.choice(members, count, replace=False)] = True
    if sort_members:
        stays = stays[:, np.argsort(gray_rank(stays), kind="stable")]
    mask = np.repeat(stays, widths, axis=0)
    return BlockMatrix.of_mask(mask if partition.axis == OUTPUTS else mask.T, partition.axis, widths)


class BlockChooser:
    """Times products on a target, each shape once; `measure` gives a graph's milliseconds there."""

    def __init__(self, measure: Callable[[ModelProto], float]) -> None:
        self._measure = measure
        self.measured: dict[str, float] = {}

    def dense_ms(self, shape: tuple[int, int]) -> float:
        return self._time(f"dense {shape[0]}x{shape[1]}", shape, None)

    def block_ms(self, matrix: BlockMatrix) -> float:
        """Counts of kept members are rounded to 16, so that layers share measurements."""
        counts = "+".join(str(-(-kept.count // _ROUNDED) * _ROUNDED) for kept in matrix.kept)
        gaps = "".join("s" if part.endswith("s") else "-" for part in matrix.signature.split("+"))
        key = f"{matrix.axis} {matrix.shape[0]}x{matrix.shape[1]} {matrix.widths} {counts} {gaps}"
        return self._time(key, matrix.shape, matrix)

    def gain(self, matrix: BlockMatrix) -> float:
        """How many times faster the product is in blocks."""
        return self.dense_ms(matrix.shape) / self.block_ms(matrix)

    def faster(self, plan: BlockPlan) -> BlockPlan:
        """The matrices of `plan` that are worth it here; all others stay dense."""
        return BlockPlan.of({name: matrix for name, matrix in plan.items() if self.gain(matrix) > 1 + MARGIN})

    def _time(self, key: str, shape: tuple[int, int], matrix: BlockMatrix | None) -> float:
        if key not in self.measured:
            self.measured[key] = self._measure(product_graph(shape, matrix))
        return self.measured[key]
