"""A graph without its large weights: small enough to send for every candidate of a search.

Latency depends on the shapes of weights and not on their values, as long as activations stay finite
and normal. So each large weight travels as name, shape, dtype, mean and standard deviation, and is
drawn at that scale where the graph is to run. Small tensors (norms, biases, shape constants) and
integer tables (indices) travel as they are.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, numpy_helper

from compresskit.errors import TargetError

METADATA_KEY = "compresskit.weights"
LARGE_ELEMENTS = 4096  # a bias of a feed-forward layer still travels as it is
_POOL_ELEMENTS = 1_048_573  # a prime: no row of a weight repeats another in step
_WEIGHTS_FILE = "weights.bin"
_ALIGNMENT = 4096  # bytes; each tensor starts a page, so that its file can be mapped

_STRIPPED: Mapping[int, str] = {
    TensorProto.FLOAT: "float32",
    TensorProto.FLOAT16: "float16",
    TensorProto.DOUBLE: "float64",
    TensorProto.INT8: "int8",
    TensorProto.UINT8: "uint8",
}


@dataclass(frozen=True, slots=True)
class Scale:
    """What is sent of a weight in place of its values."""

    mean: float
    std: float


def strip_weights(model: onnx.ModelProto, *, seed: int = 0) -> onnx.ModelProto:
    """A copy of `model` whose large weights have lost their values.

    The copy keeps names, shapes and dtypes; it also loses doc strings, node metadata and inferred
    shapes, which cost more on the wire than everything else together. It does not load before
    `fill_weights`. Weights that hold a NaN or an infinity stay as they are.
    """
    light = onnx.ModelProto(
        ir_version=model.ir_version,
        opset_import=model.opset_import,
        functions=model.functions,
        graph=onnx.GraphProto(
            name=model.graph.name, node=model.graph.node, input=model.graph.input, output=model.graph.output
        ),
    )
    for node in light.graph.node:
        node.ClearField("doc_string")
        if "metadata_props" in node.DESCRIPTOR.fields_by_name:
            node.ClearField("metadata_props")
    scales: dict[str, list[float]] = {}
    for tensor in model.graph.initializer:
        scale = _scale(tensor)
        if scale is None:
            light.graph.initializer.append(tensor)
            continue
        light.graph.initializer.add(name=tensor.name, data_type=tensor.data_type, dims=tensor.dims)
        scales[tensor.name] = [scale.mean, scale.std]
    light.metadata_props.add(key=METADATA_KEY, value=json.dumps({"seed": seed, "scales": scales}))
    return light


def read_scales(model: onnx.ModelProto) -> tuple[int, dict[str, Scale]]:
    """(seed, name of each stripped weight -> its Scale); (0, {}) for a graph that has its weights.

    Raises TargetError when the record is malformed.
    """
    found = [entry.value for entry in model.metadata_props if entry.key == METADATA_KEY]
    if not found:
        return 0, {}
    try:
        value = json.loads(found[-1])
        seed, scales = int(value["seed"]), {str(k): _checked(*v) for k, v in value["scales"].items()}
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, OverflowError) as error:
        raise TargetError(
            f"the graph's record of stripped weights ({METADATA_KEY}) is malformed: {error}."
        ) from None
    if seed < 0:
        raise TargetError(f"seed {seed} of the stripped weights is negative; permitted: 0 and above.")
    return seed, scales


def weight_bytes(model: onnx.ModelProto) -> int:
    """Bytes that all initializers take once filled in, from their declared shapes alone.

    Raises TargetError for a negative dimension or an unknown dtype.
    """
    return sum(tensor_bytes(tensor) for tensor in model.graph.initializer)


def tensor_bytes(tensor: TensorProto) -> int:
    """Bytes of one tensor by its declared shape. Raises TargetError as `weight_bytes` does."""
    if any(dim < 0 for dim in tensor.dims):
        raise TargetError(f"tensor {tensor.name[:80]!r} has a negative dimension: {list(tensor.dims)[:8]}.")
    elements = math.prod(tensor.dims)
    if tensor.data_type == TensorProto.STRING:
        return sum(map(len, tensor.string_data))
    try:
        size = onnx.helper.tensor_dtype_to_np_dtype(tensor.data_type).itemsize
    except (KeyError, ValueError, TypeError):
        raise TargetError(f"tensor {tensor.name[:80]!r} has unknown dtype {tensor.data_type}.") from None
    return int(elements) * int(size)


def fill_weights(model: onnx.ModelProto, folder: Path, *, memory_limit_bytes: int | None = None) -> Path:
    """Draw the stripped weights of `model` and write it as `folder`/model.onnx, which then loads.

    Weights, drawn or real, go into a file beside it, a block at a time: no second copy of them is ever
    in memory, and ONNX Runtime maps that file. The total size is checked against `memory_limit_bytes` before
    anything is allocated or written. The same graph always gets the same values. `model` is changed.
    Raises TargetError over the limit, or when the record names a tensor that is not there, has values
    already, or is of a dtype that is never stripped.
    """
    total = weight_bytes(model)
    if memory_limit_bytes is not None and total > memory_limit_bytes:
        raise TargetError(
            f"the graph's weights take {total:,} bytes; permitted: {memory_limit_bytes:,}. "
            "Give the agent a higher memory limit, or send a smaller model."
        )
    seed, scales = read_scales(model)
    tensors = {tensor.name: tensor for tensor in model.graph.initializer}
    for name in scales:
        if name not in tensors or tensors[name].data_type not in _STRIPPED or has_values(tensors[name]):
            raise TargetError(f"the graph's record of stripped weights names {name[:80]!r}, not one of them.")
    pool = np.random.default_rng(seed).standard_normal(_POOL_ELEMENTS, dtype=np.float32)
    shifts = {name: -index * 7919 for index, name in enumerate(scales)}
    with (folder / _WEIGHTS_FILE).open("wb") as file:
        for tensor in model.graph.initializer:
            size = tensor_bytes(tensor)
            file.seek(-(-file.tell() // _ALIGNMENT) * _ALIGNMENT)
            offset = file.tell()
            if tensor.name in scales:
                values = _at_scale(pool, scales[tensor.name], np.dtype(_STRIPPED[tensor.data_type]))
                _write_repeated(file, np.roll(values, shifts[tensor.name]).tobytes(), size)
            elif len(tensor.raw_data) == size > LARGE_ELEMENTS * 8:
                file.write(tensor.raw_data)
                tensor.ClearField("raw_data")
            else:
                continue
            tensor.data_location = TensorProto.EXTERNAL
            for key, value in (("location", _WEIGHTS_FILE), ("offset", offset), ("length", size)):
                tensor.external_data.add(key=key, value=str(value))
    kept = [entry for entry in model.metadata_props if entry.key != METADATA_KEY]
    del model.metadata_props[:]
    model.metadata_props.extend(kept)
    path = folder / "model.onnx"
    path.write_bytes(model.SerializeToString())
    return path


def has_values(tensor: TensorProto) -> bool:
    """Whether `tensor` carries data of its own, in whatever field."""
    return any(
        field.name in ("raw_data", "external_data") or (field.name.endswith("_data") and bool(value))
        for field, value in tensor.ListFields()
    )


def _scale(tensor: TensorProto) -> Scale | None:
    """Scale of a tensor that is to be stripped; None for one that stays."""
    if tensor.data_type not in _STRIPPED or math.prod(tensor.dims) <= LARGE_ELEMENTS:
        return None
    flat = numpy_helper.to_array(tensor).reshape(-1)
    mean = float(flat.mean(dtype=np.float64))
    if not math.isfinite(mean):
        return None
    square = 0.0
    with np.errstate(over="ignore"):
        for start in range(0, flat.size, _POOL_ELEMENTS):  # no float64 copy of the whole
            part = flat[start : start + _POOL_ELEMENTS].astype(np.float32) - np.float32(mean)
            square += float(np.dot(part, part))
    return Scale(mean, math.sqrt(square / flat.size)) if math.isfinite(square) else None


def _checked(mean: float, std: float) -> Scale:
    mean, std = float(mean), float(std)
    if not (math.isfinite(mean) and math.isfinite(std) and std >= 0):
        raise ValueError(f"mean {mean} and standard deviation {std} are not finite")
    return Scale(mean, std)


def _at_scale(pool: npt.NDArray[np.float32], scale: Scale, dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    """The pool of standard normal values at `scale`, all of them finite and none subnormal."""
    values = scale.mean + scale.std * pool.astype(np.float64)
    if dtype.kind != "f":
        bounds = np.iinfo(dtype)
        return np.clip(np.rint(values), bounds.min, bounds.max).astype(dtype)
    limits = np.finfo(dtype)
    smallest = float(limits.smallest_normal)
    tiny = np.abs(values) < smallest
    values[tiny] = np.copysign(smallest, values[tiny]) if scale.std else 0.0
    return np.clip(values, float(limits.min), float(limits.max)).astype(dtype)


def _write_repeated(file: BinaryIO, block: bytes, size: int) -> None:
    """`size` bytes of `block` over and over: weights repeat far apart, and a copy is quicker than a draw."""
    view = memoryview(block)
    for start in range(0, size, len(block)):
        file.write(view[: size - start])
