"""PyTorch -> ONNX, with every weight under its torch name."""

from __future__ import annotations

import contextlib
import copy
import io
import logging
import warnings
from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from onnx import ModelProto, TensorProto, helper, numpy_helper
from torch import nn

from compresskit.engine.canonical import canonicalize
from compresskit.engine.count import BUFFER
from compresskit.errors import EngineError
from compresskit.families import dimensions_of, family_for
from compresskit.inputs import POSITIONS
from compresskit.supernet.classes import head_of
from compresskit.supernet.heads import heads_of, tell_heads
from compresskit.tasks.registry import task_kinds

TRACED_OPSET = 23  # gives one node for attention, which is easy to find; the result has 20
_FACTOR = "attention_scaling"  # how transformers' names of it end
IR_VERSION = 9  # loads in ONNX Runtime 1.17 and later

Array = npt.NDArray[Any]


def export_onnx(model: nn.Module) -> ModelProto:
    """The plain graph of an encoder with its head, dense or pruned: all axes of its inputs dynamic, fp32.

    Inputs are those of the model's family, each int64 with the axes of `input_axes_of`; outputs are named as
    the model names them, such as `logits`. Initializers bear torch's parameter names; a weight that a MatMul
    reads is stored transposed, one that a Gemm reads is not. Buffers bear their names with `BUFFER` behind.
    EngineError if a weight cannot be identified.
    """
    draft = _with_random_parameters(model)
    factor = _without_factor(draft)
    sample = _sample(draft)
    with torch.no_grad():
        outputs = list(draft(**sample))
    heads = heads_of(draft)
    # Any numbers will do to trace with: what tells one layer's from another's is found again.
    marks = {name: ids + (place + 1) * 1_000_000 for place, (name, ids) in enumerate(heads.items())}
    tell_heads(draft, marks, dimensions_of(draft.config).head_size)
    proto = _trace(draft, sample, outputs)
    values = {name: value.detach().cpu().float().numpy() for name, value in model.named_parameters()}
    known = {mark.numpy().tobytes(): (name, heads[name].numpy()) for name, mark in marks.items()}
    _name_weights(proto, draft, values, known)
    proto.ir_version = IR_VERSION
    return canonicalize(proto, _open_axes_of(model), factor)


def input_names_of(model: nn.Module) -> tuple[str, ...]:
    """Names of the inputs that a model's graph takes."""
    config: Any = model.config
    return family_for(config.model_type).inputs


def input_axes_of(model: nn.Module) -> tuple[str, ...]:
    """Axes of each of these inputs: batch and length, and what the model's task has between them."""
    kinds = (kind for kind in task_kinds().values() if type(model).__name__.endswith(head_of(kind.hub_task)))
    return ("batch", *next((kind.axes for kind in kinds), ("length",)))


def _open_axes_of(model: nn.Module) -> tuple[str, ...]:
    """Those that rows may differ in: of images, which have one size, the batch alone."""
    config: Any = model.config
    axes, family = input_axes_of(model), family_for(config.model_type)
    return axes if family.patches is None else axes[:1]


def _with_random_parameters(model: nn.Module) -> nn.Module:
    """A copy on the CPU in which no two parameters are equal, in evaluation mode.

    The exporter merges equal tensors and drops biases of zero; a fresh model has many of both,
    and a graph that lost them cannot be given other weights.
    """
    generator = torch.Generator().manual_seed(0)
    memo: dict[int, Any] = {}
    for value in model.parameters():
        noise = torch.rand(value.shape, generator=generator) + 0.5
        memo[id(value)] = nn.Parameter(noise, requires_grad=False)
    with torch.no_grad():
        return copy.deepcopy(model, memo).eval().cpu()


def sides_of(config: Any) -> tuple[int, int]:
    """Height and width of the images that a transformers configuration is for."""
    size = config.image_size
    height, width = (size, size) if isinstance(size, int) else size
    return int(height), int(width)


def _without_factor(model: nn.Module) -> float:
    """Set the factor of a model's rotations to 1, and return it: the exporter knows those without one alone.

    YaRN has one (Peng et al. 2023, arXiv 2309.00071, section 3.4). Where kinds of layers differ in it, it
    stays.
    """
    held = [(module, name) for module in model.modules() for name in vars(module) if name.endswith(_FACTOR)]
    factors = {float(getattr(module, name)) for module, name in held}
    if len(factors) != 1:
        return 1.0
    for module, name in held:
        setattr(module, name, 1.0)
    return factors.pop()


def _sample(model: nn.Module) -> dict[str, torch.Tensor]:
    config: Any = model.config
    family = family_for(config.model_type)
    if family.patches is not None:
        images = torch.ones(2, config.num_channels, *sides_of(config))
        return dict.fromkeys(input_names_of(model), images)
    names = (*input_names_of(model), *((POSITIONS,) if family.rotary else ()))
    axes = input_axes_of(model)
    # Dimensions of 1 would be taken for constants, and equal ones for one.
    shape = (*range(2, len(axes) + 1), 8)
    return {name: torch.ones(shape, dtype=torch.int64) for name in names}


def _trace(model: nn.Module, sample: Mapping[str, torch.Tensor], outputs: list[str]) -> ModelProto:
    axes = dict(enumerate(_open_axes_of(model)))
    with _quiet():
        program = torch.onnx.export(
            model,
            kwargs=dict(sample),
            dynamo=True,
            opset_version=TRACED_OPSET,
            input_names=list(sample),
            output_names=outputs,
            dynamic_shapes=dict.fromkeys(sample, axes),
            verbose=False,
        )
    assert program is not None
    proto: ModelProto = program.model_proto
    return proto


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """The exporter speaks of optional packages and of its own deprecations; no user can act on it."""
    loggers = [logging.getLogger(name) for name in ("torch.onnx", "onnxscript")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def _name_weights(
    proto: ModelProto, draft: nn.Module, values: Mapping[str, Array], heads: Mapping[bytes, tuple[str, Array]]
) -> None:
    """Give initializers their torch names and real values; `draft`'s random ones identify them.

    `heads`: the bytes of ids that modules of `draft` are told -> their name and the real ones.
    """
    known: dict[tuple[tuple[int, ...], bytes], tuple[str, bool]] = {}
    for name, parameter in draft.named_parameters():
        random = parameter.numpy()
        known[_fingerprint(random)] = (name, False)
        if random.ndim == 2:
            known[_fingerprint(random.T)] = (name, True)
    buffers = {name: buffer.numpy() for name, buffer in draft.named_buffers()}
    renamed: dict[str, str] = {}
    tensors: list[TensorProto] = []
    for item in proto.graph.initializer:
        value = numpy_helper.to_array(item)
        if value.dtype.kind != "f" or value.size == 0:
            name, ids = heads.get(value.tobytes(), (item.name, value))
            renamed |= {item.name: name} if name != item.name else {}
            tensors.append(item if name == item.name else tensor_of(name, ids))
            continue
        found = known.get(_fingerprint(value))
        if found is None:
            if item.name in buffers and np.array_equal(value, buffers[item.name]):
                renamed[item.name] = f"{item.name}{BUFFER}"
                item.name = renamed[item.name]
            elif value.size > 1:
                raise EngineError(f"initializer {item.name!r} of shape {value.shape} is not a parameter.")
            tensors.append(item)
            continue
        name, transposed = found
        renamed[item.name] = name
        tensors.append(tensor_of(name, values[name].T if transposed else values[name]))
    _rename(proto, renamed, tensors)


def _fingerprint(value: Array) -> tuple[tuple[int, ...], bytes]:
    return value.shape, value.ravel()[:16].tobytes() if value.flags.c_contiguous else _head(value)


def _head(value: Array) -> bytes:
    rows = -(-16 // value.shape[1])
    return value[:rows].ravel()[:16].tobytes()


def _rename(proto: ModelProto, names: Mapping[str, str], tensors: list[TensorProto]) -> None:
    taken = set(names.values())
    others = {
        value: f"{value}__"
        for node in proto.graph.node
        for value in (*node.input, *node.output)
        if value in taken and names.get(value) != value
    }
    mapping = {**others, **names}
    for node in proto.graph.node:
        for i, value in enumerate(node.input):
            node.input[i] = mapping.get(value, value)
        for i, value in enumerate(node.output):
            node.output[i] = mapping.get(value, value)
    copies = [deepcopy(item) for item in tensors]
    del proto.graph.initializer[:]
    proto.graph.initializer.extend(copies)


def tensor_of(name: str, value: Array) -> TensorProto:
    tensor: TensorProto = helper.make_tensor(
        name,
        helper.np_dtype_to_tensor_dtype(value.dtype),
        value.shape,
        np.ascontiguousarray(value).tobytes(),
        raw=True,
    )
    return tensor
