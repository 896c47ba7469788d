"""Whether a graph that came over the network may be run: everything that can be seen without running it.

What passes is written again from what was checked, so that ONNX Runtime never reads bytes that were
not understood here. What cannot be seen (how much memory, how long) is left to the limits of
the process that runs it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import onnx
from onnx import AttributeProto, GraphProto, NodeProto, TensorProto

from compresskit.errors import TargetError
from compresskit.target.agent.allowed import OPERATORS
from compresskit.target.stripped_graph import METADATA_KEY, has_values, read_scales, tensor_bytes

MAX_NODES = 50_000
MAX_INITIALIZERS = 20_000
MAX_PORTS = 64  # inputs, and outputs, of a graph
MAX_DIMENSIONS = 16
MAX_INPUT_ELEMENTS = 1 << 26
_ATTRIBUTES = frozenset(
    {"name", "doc_string", "type", "f", "i", "s", "t", "floats", "ints", "strings", "tensors"}
)


class GraphRefusedError(TargetError):
    """The graph may not be run here; sending it again does not help."""


def accept_graph(data: bytes, *, memory_limit_bytes: int) -> onnx.ModelProto:
    """The graph in `data`, reduced to what was checked.

    Raises GraphRefusedError for anything but a plain graph of listed operators with its data inside
    and weights (those still to be filled in included) below `memory_limit_bytes`.
    """
    model = onnx.ModelProto()
    try:
        model.ParseFromString(data)
    except Exception as error:  # protobuf's own, which onnx has no name for
        raise GraphRefusedError(f"the body is not an ONNX model: {error}.") from None
    if not model.HasField("graph"):
        raise GraphRefusedError("the model has no graph.")
    _check_model(model)
    _check_nodes(model.graph.node)
    _check_weights(model, memory_limit_bytes)
    _check_ports(model.graph)
    _keep_checked(model)
    return model


def _check_model(model: onnx.ModelProto) -> None:
    if len(model.functions) or len(model.training_info):
        raise GraphRefusedError("the model has local functions or training data; inline or drop them.")
    domains = {entry.domain for entry in model.opset_import}
    if not domains <= set(OPERATORS):
        raise GraphRefusedError(
            f"operator domains {_names(domains - set(OPERATORS))} are not permitted; "
            "permitted: ai.onnx, com.microsoft."
        )
    if len(model.graph.sparse_initializer):
        raise GraphRefusedError("the graph has sparse initializers; send them dense.")


def _check_nodes(nodes: Iterable[NodeProto]) -> None:
    for count, node in enumerate(nodes):
        if count >= MAX_NODES:
            raise GraphRefusedError(f"the graph has more than {MAX_NODES:,} nodes.")
        if node.op_type not in OPERATORS.get(node.domain, ()):
            raise GraphRefusedError(
                f"operator {_name(node.domain, node.op_type)} is not permitted on an agent. Control flow, "
                "custom operators and precompiled contexts never are."
            )
        for attribute in node.attribute:
            _check_attribute(node, attribute)


def _check_attribute(node: NodeProto, attribute: AttributeProto) -> None:
    for field, value in attribute.ListFields():
        if field.name not in _ATTRIBUTES:
            raise GraphRefusedError(
                f"attribute {attribute.name[:40]!r} of {_name(node.domain, node.op_type)} holds "
                f"a {field.name}; permitted: numbers, text and dense tensors."
            )
        for tensor in [value] if field.name == "t" else value if field.name == "tensors" else ():
            _check_tensor(tensor)


def _check_tensor(tensor: TensorProto) -> int:
    """Bytes of a tensor that carries its own data."""
    if tensor.data_location != TensorProto.DEFAULT or len(tensor.external_data):
        raise GraphRefusedError(f"tensor {tensor.name[:80]!r} has its data outside the model; put it inside.")
    if tensor.HasField("segment"):
        raise GraphRefusedError(f"tensor {tensor.name[:80]!r} comes in segments; send it whole.")
    if len(tensor.dims) > MAX_DIMENSIONS:
        raise GraphRefusedError(f"tensor {tensor.name[:80]!r} has more than {MAX_DIMENSIONS} dimensions.")
    size = _declared(tensor)
    held = len(tensor.raw_data) + 8 * sum(
        len(getattr(tensor, name))
        for name in ("float_data", "int32_data", "int64_data", "double_data", "uint64_data")
    )
    if tensor.data_type != TensorProto.STRING and size > held:
        raise GraphRefusedError(
            f"tensor {tensor.name[:80]!r} declares {size:,} bytes and holds {held:,}, and is not marked as "
            "stripped of its values."
        )
    return size


def _check_weights(model: onnx.ModelProto, memory_limit_bytes: int) -> None:
    try:
        _, scales = read_scales(model)
    except TargetError as error:
        raise GraphRefusedError(str(error)) from None
    if len(model.graph.initializer) > MAX_INITIALIZERS:
        raise GraphRefusedError(f"the graph has more than {MAX_INITIALIZERS:,} initializers.")
    names = {tensor.name for tensor in model.graph.initializer}
    if len(names) != len(model.graph.initializer) or not names >= set(scales):
        raise GraphRefusedError("initializers share a name, or the record of stripped weights names others.")
    total = 0
    for tensor in model.graph.initializer:
        if tensor.name in scales and not has_values(tensor):
            total += _declared(tensor)
        else:
            total += _check_tensor(tensor)
        if total > memory_limit_bytes:
            raise GraphRefusedError(
                f"the graph's weights take {total:,} bytes or more; permitted: {memory_limit_bytes:,}. "
                "Start the agent with a higher --memory-limit, or send a smaller model."
            )


def _declared(tensor: TensorProto) -> int:
    try:
        return tensor_bytes(tensor)
    except TargetError as error:
        raise GraphRefusedError(str(error)) from None


def _check_ports(graph: GraphProto) -> None:
    filled = {tensor.name for tensor in graph.initializer}
    for ports, what in (
        ([value for value in graph.input if value.name not in filled], "inputs"),
        (list(graph.output), "outputs"),
    ):
        if not 1 <= len(ports) <= MAX_PORTS:
            raise GraphRefusedError(f"the graph has {len(ports)} {what}; permitted: 1 to {MAX_PORTS}.")
        for value in ports:
            if value.type.WhichOneof("value") != "tensor_type":
                raise GraphRefusedError(f"{value.name[:80]!r} of the graph's {what} is not a dense tensor.")
            dims = [dim.dim_value for dim in value.type.tensor_type.shape.dim]
            if min(dims, default=0) < 0 or math.prod(max(dim, 1) for dim in dims) > MAX_INPUT_ELEMENTS:
                raise GraphRefusedError(
                    f"{value.name[:80]!r} of the graph's {what} has shape {dims[:8]}: too large."
                )


_KEPT = {
    "ModelProto": frozenset({"ir_version", "opset_import", "graph", "metadata_props"}),
    "GraphProto": frozenset({"name", "node", "initializer", "input", "output"}),
    "NodeProto": frozenset({"name", "domain", "op_type", "input", "output", "attribute"}),
}


def _keep_checked(model: onnx.ModelProto) -> None:
    """Drop what was not looked at: unknown fields, metadata, inferred shapes, hints for a runtime."""
    for message in (model, model.graph, *model.graph.node):
        kept = _KEPT[message.DESCRIPTOR.name]
        for field, _ in message.ListFields():
            if field.name not in kept:
                message.ClearField(field.name)
    record = [entry for entry in model.metadata_props if entry.key == METADATA_KEY][-1:]
    del model.metadata_props[:]
    model.metadata_props.extend(record)
    model.DiscardUnknownFields()


def _name(domain: str, op_type: str) -> str:
    return f"{domain[:40] or 'ai.onnx'}.{op_type[:40]}"


def _names(values: Iterable[str]) -> str:
    return ", ".join(repr(value[:40]) for value in sorted(values)[:5])
