"""Precisions of a graph: dynamic int8, static int8 and fp16, whatever its variant."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto

from compresskit.architecture import PRECISIONS
from compresskit.engine.editing import Array, GraphEditor, live_nodes
from compresskit.engine.norms import keep_norms_in_float
from compresskit.errors import ConfigurationError, one_of

# Beside uint8 activations: two such products fit the 16-bit sums of x86 processors without VNNI, which
# otherwise saturate without a word. An engine answers alike wherever it is put.
PORTABLE, WHOLE = 63, 127
SMALLEST = 16  # rows or columns below which a weight stays in float: nothing is to be gained


def to_precision(model: ModelProto, precision: str) -> ModelProto:
    """The graph in fp32 (as it is), fp16 or dynamic int8, in place; ConfigurationError otherwise."""
    match precision:
        case "fp32":
            return model
        case "fp16":
            return to_fp16(model)
        case "int8":
            return to_dynamic_int8(model)
    raise ConfigurationError(one_of("precision", precision, PRECISIONS))


def to_dynamic_int8(model: ModelProto, *, keep_float: Collection[str] = ()) -> ModelProto:
    """Products with a weight in int8, activations quantized as they come (asymmetric uint8).

    Weights are symmetric, one scale a column, within `PORTABLE`. `keep_float` names weights that stay in
    float. ONNX Runtime fuses the four operators of a product into one.
    """
    editor = GraphEditor(model)
    quantized: dict[str, tuple[str, str, str]] = {}
    for node in editor.of_type("MatMul"):
        weight = _weight(editor, node, keep_float)
        if weight is None:
            continue
        source, name, output = node.input[0], node.input[1], node.output[0]
        if source not in quantized:
            parts = tuple(editor.fresh(f"{source}_{part}") for part in ("quantized", "scale", "zero_point"))
            editor.add("DynamicQuantizeLinear", [source], parts, before=node, name=f"{source}/Quantize")
            quantized[source] = parts[0], parts[1], parts[2]
        values, scale, zero = quantized[source]
        packed, scales = quantize_weight(weight, PORTABLE)
        zeros = np.zeros(packed.shape[1], dtype=np.int8)
        weight_name = editor.add_constant(f"{name}.quantized", packed, shared=True)  # by several products
        zeros_name = editor.add_constant(f"{name}.zero_point", zeros, shared=True)
        scales_name = editor.add_constant(f"{name}.scale", scales, shared=True)
        whole, real, factor = (editor.fresh(f"{output}_{part}") for part in ("int32", "float", "scale"))
        result = editor.fresh(f"{output}_scaled")
        stem, _, operator = node.name.rpartition("/")
        number = operator.removeprefix("MatMul")
        inputs = [values, weight_name, zero, zeros_name]
        editor.add("MatMulInteger", inputs, [whole], before=node, name=f"{node.name}Integer")
        editor.add("Cast", [whole], [real], before=node, name=f"{stem}/Cast{number}", to=TensorProto.FLOAT)
        editor.add("Mul", [scale, scales_name], [factor], before=node, name=f"{stem}/Scale{number}")
        editor.add("Mul", [real, factor], [result], before=node, name=f"{stem}/Rescale{number}")
        editor.redirect(output, result)
    return editor.finish()


def to_static_int8(
    model: ModelProto,
    ranges: Mapping[str, tuple[float, float]],
    *,
    keep_float: Collection[str] = (),
    symmetric: bool = False,
) -> ModelProto:
    """Products with a weight in QDQ form, with the activation ranges that `activation_ranges` found.

    What TensorRT and ONNX Runtime's static kernels read: a QuantizeLinear and DequantizeLinear pair
    before each product, weights as int8 behind a DequantizeLinear, one scale a column. Activations are
    asymmetric uint8 (weights then within `PORTABLE`), or `symmetric` int8, the only kind that TensorRT takes.
    """
    editor = GraphEditor(model)
    ready: dict[str, str] = {}
    restored: dict[str, str] = {}  # by the name of the weight, which several products may read
    for node in editor.of_type("MatMul"):
        weight = _weight(editor, node, keep_float)
        source = node.input[0]
        if weight is None or source not in ranges:
            continue
        if source not in ready:
            ready[source] = _quantized_and_back(editor, node, source, ranges[source], symmetric)
        name = node.input[1]
        if name not in restored:
            packed, scales = quantize_weight(weight, WHOLE if symmetric else PORTABLE)
            inputs = [
                editor.add_constant(f"{name}.quantized", packed),
                editor.add_constant(f"{name}.scale", scales),
                editor.add_constant(f"{name}.zero_point", np.zeros(packed.shape[1], dtype=np.int8)),
            ]
            restored[name] = editor.fresh(f"{name}.restored")
            editor.add(
                "DequantizeLinear", inputs, [restored[name]], before=node, name=f"{name}/Dequantize", axis=1
            )
        node.input[0], node.input[1] = ready[source], restored[name]
        bias = editor.only_use(node.output[0])
        if bias is not None and bias.op_type == "Add":
            # Where shapes are fixed, ONNX Runtime makes one Gemm of product and Add, before it looks for
            # quantized products; it then computes in float and dequantizes the weights in every run.
            bias.op_type = "Sum"
    return editor.finish()


def quantizable_weights(model: ModelProto) -> dict[str, list[str]]:
    """Each value that products with a quantizable weight read -> names of these weights, in order."""
    editor = GraphEditor(model)
    found: dict[str, list[str]] = {}
    for node in editor.of_type("MatMul"):
        if _weight(editor, node, ()) is not None:
            found.setdefault(node.input[0], []).append(node.input[1])
    return found


def quantize_weight(weight: Array, limit: int = WHOLE) -> tuple[Array, Array]:
    """int8 values within `limit` and float32 scales of a weight (in, out): symmetric, one scale a column."""
    largest = np.abs(weight).max(axis=0)
    scales = np.where(largest > 0, largest / limit, 1.0).astype(np.float32)
    return np.rint(weight / scales).astype(np.int8), scales


def to_fp16(model: ModelProto) -> ModelProto:
    """Weights and activations in fp16; inputs, logits and norms' sums stay as they were.

    So do the angles of rotations, products of positions and frequencies, and what becomes whole numbers, as
    distances of tokens do: in fp16 they would be off by whole turns or classes in long texts. For providers
    with fp16 kernels: a CPU casts back and forth and becomes slower.
    """
    editor = GraphEditor(model)
    turns = editor.of_type("Cos", "Sin")
    whole = [
        node for node in editor.of_type("Cast") if _target(node) in (TensorProto.INT32, TensorProto.INT64)
    ]
    kept = live_nodes(editor.nodes, [name for node in (*turns, *whole) for name in node.input])
    exact = {name for node in kept for name in (*node.input, *node.output)}
    casts = [node for node in editor.of_type("Cast") if node.output[0] not in exact]
    exact |= keep_norms_in_float(editor)
    for item in editor.initializers.values():
        if item.data_type == TensorProto.FLOAT and item.name not in exact:
            value = editor.constant(item.name)
            assert value is not None
            limit = float(np.finfo(np.float16).max)
            item.raw_data = np.clip(value, -limit, limit).astype(np.float16).tobytes()
            item.data_type = TensorProto.FLOAT16
    for node in casts:
        for attribute in node.attribute:
            if attribute.name == "to" and attribute.i == TensorProto.FLOAT:
                attribute.i = TensorProto.FLOAT16
    for node in turns:
        half = editor.fresh(f"{node.output[0]}_half")
        editor.redirect(node.output[0], half)
        after = editor.nodes[editor.position(node) + 1]
        editor.add(
            "Cast", [node.output[0]], [half], before=after, name=f"{half}/Cast", to=TensorProto.FLOAT16
        )
    for output in model.graph.output:
        last = editor.producer[output.name]
        half = editor.fresh(f"{output.name}_half")
        editor.redirect(output.name, half)  # such as a pooling, which reads the tokens
        last.output[list(last.output).index(output.name)] = half
        editor.nodes.append(_cast(half, output.name))
    return editor.finish()


def _target(cast: NodeProto) -> int:
    return int(next(attribute.i for attribute in cast.attribute if attribute.name == "to"))


def _cast(source: str, target: str) -> NodeProto:
    node = NodeProto(op_type="Cast", name=f"{target}/Cast", input=[source], output=[target])
    attribute = node.attribute.add(name="to", i=TensorProto.FLOAT)
    attribute.type = attribute.INT
    return node


def _weight(editor: GraphEditor, node: NodeProto, keep_float: Collection[str]) -> Array | None:
    """The weight of a product that is to be quantized, of shape (in, out)."""
    item = editor.initializers.get(node.input[1])
    if item is None or item.data_type != TensorProto.FLOAT or item.name in keep_float:
        return None
    if len(item.dims) != 2 or min(item.dims) < SMALLEST:
        return None
    return editor.constant(item.name)


def _quantized_and_back(
    editor: GraphEditor, before: NodeProto, source: str, span: tuple[float, float], symmetric: bool
) -> str:
    low, high = min(span[0], 0.0), max(span[1], 0.0)
    if symmetric:
        scale = max(-low, high) / 127 or 1.0
        zero = np.array(0, dtype=np.int8)
    else:
        scale = (high - low) / 255 or 1.0
        zero = np.array(np.clip(round(-low / scale), 0, 255), dtype=np.uint8)
    parameters = [
        editor.add_constant(f"{source}_scale", np.array(scale, dtype=np.float32)),
        editor.add_constant(f"{source}_zero_point", zero),
    ]
    values, back = editor.fresh(f"{source}_quantized"), editor.fresh(f"{source}_dequantized")
    editor.add("QuantizeLinear", [source, *parameters], [values], before=before, name=f"{source}/Quantize")
    editor.add("DequantizeLinear", [values, *parameters], [back], before=before, name=f"{source}/Dequantize")
    return back
