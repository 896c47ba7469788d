"""Write an engine as a model of a Triton repository, for Triton's ONNX Runtime backend."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from onnx import ModelProto, TensorProto, ValueInfoProto

from compresskit.bundle.manifest import Manifest
from compresskit.bundle.runtime import runtime_facts
from compresskit.engine.folder import check_output, finish, new_folder
from compresskit.engine.readers import save_reader
from compresskit.errors import EngineError
from compresskit.inputs import PIXELS
from compresskit.target.base import SessionSettings
from compresskit.target.host import physical_cores
from compresskit.target.profile import Profile

# The batch in which engines are verified and scored.
LARGEST_BATCH = 32
_TYPES = {
    TensorProto.BOOL: "TYPE_BOOL",
    TensorProto.INT32: "TYPE_INT32",
    TensorProto.INT64: "TYPE_INT64",
    TensorProto.FLOAT: "TYPE_FP32",
    TensorProto.FLOAT16: "TYPE_FP16",
}
# What the backend's `level` says; without one it enables all.
_LEVELS = {"disable": 2, "basic": -1, "extended": 1}
# Session configuration entries that the backend has a parameter for.
_PARAMETERS = {
    "session.enable_cpu_mem_arena": "enable_mem_arena",
    "session.enable_mem_pattern": "enable_mem_pattern",
    "session.use_device_allocator_for_initializers": "session.use_device_allocator_for_initializers",
}


def write_triton(
    output: Path | str, *, graph: ModelProto, reader: Any, manifest: Manifest, profile: Profile
) -> Manifest:
    """Fill the new or empty folder `output` with a model repository of one model; returns its manifest.

    The model is named by `model_name` and holds config.pbtxt, 1/model.onnx, labels.txt, the tokenizer
    for its clients in tokenizer/, or of images the processor in processor/, and compresskit.json. Raises as
    `write_engine` does.
    """
    check_output(output)
    with new_folder(output) as repository:
        folder = repository / model_name(manifest)
        (folder / "1").mkdir(parents=True)
        (folder / "1" / "model.onnx").write_bytes(graph.SerializeToString())
        save_reader(reader, folder / _reader_folder(graph), manifest.max_length)
        if manifest.labels:
            (folder / "labels.txt").write_text("\n".join(manifest.labels) + "\n", encoding="utf-8")
        (folder / "config.pbtxt").write_text(config_text(graph, manifest, profile), encoding="utf-8")
        return finish(folder, replace(manifest, runtime=runtime_facts(graph)))


def _reader_folder(graph: ModelProto) -> str:
    return "processor" if graph.graph.input[0].name == PIXELS else "tokenizer"


def model_name(manifest: Manifest) -> str:
    """Run, point and precision, such as `reviews-trial-12-int8`: engines of one run do not collide."""
    trial = manifest.lineage.get("trial_id")
    parts = [str(manifest.lineage.get("run") or "engine"), "dense" if trial is None else f"trial-{trial}"]
    if manifest.precision != "fp32":
        parts.append(manifest.precision)
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", "-".join(parts))


def config_text(graph: ModelProto, manifest: Manifest, profile: Profile) -> str:
    """config.pbtxt, in protobuf's text format: a `ModelConfig` of Triton's model_config.proto.

    It has no `name`, which Triton then takes from the folder. EngineError for an input or output
    whose type the backend does not know.
    """
    session = SessionSettings.from_json(manifest.session)
    batched = all(_dims(value)[0] == -1 for value in graph.graph.input)
    largest = max(LARGEST_BATCH, profile.batch) if batched else 0
    lines = ['platform: "onnxruntime_onnx"', f"max_batch_size: {largest}"]
    lines += [line for value in graph.graph.input for line in _tensor("input", value, batched)]
    labels = ['  label_filename: "labels.txt"'] if manifest.labels else []
    lines += [line for value in graph.graph.output for line in _tensor("output", value, batched, labels)]
    # Requests that wait are joined; none is held back for others to come.
    lines += ["dynamic_batching { }"] if batched else []
    lines += _instances(profile)
    lines += _optimization(graph, manifest, profile, session, largest)
    lines += _parameters(profile, session)
    for length in dict(profile.lengths) or (profile.length,):
        sizes = {**profile.sizes, "length": length} | ({} if batched else {"batch": 1})
        lines += _warm_up(graph, sizes, batched)
    return "\n".join([*lines, ""])


def left_out(session: SessionSettings) -> list[str]:
    """Session settings that Triton's backend has no parameter for."""
    return [f"{key}={value}" for key, value in session.options.items() if key not in _PARAMETERS]


def _tensor(kind: str, value: ValueInfoProto, batched: bool, more: Sequence[str] = ()) -> Iterator[str]:
    dims = ", ".join(map(str, _dims(value)[1 if batched else 0 :]))
    yield from (f"{kind} {{", f"  name: {_quoted(value.name)}", f"  data_type: {_type(value)}")
    yield from (f"  dims: [ {dims} ]", *more, "}")


def _instances(profile: Profile) -> list[str]:
    if profile.provider == "cpu":
        return ["instance_group { kind: KIND_CPU count: 1 }"]
    device = int(profile.provider_options.get("device_id", 0))
    return [f"instance_group {{ kind: KIND_GPU count: 1 gpus: [ {device} ] }}"]


def _optimization(
    graph: ModelProto, manifest: Manifest, profile: Profile, session: SessionSettings, largest: int
) -> list[str]:
    lines = []
    if session.optimization_level in _LEVELS:
        lines.append(f"  graph {{ level: {_LEVELS[session.optimization_level]} }}")
    if profile.provider == "tensorrt":
        options = _tensorrt(graph, manifest, profile, largest)
        given = [
            f"      parameters {{ key: {_quoted(key)} value: {_quoted(options[key])} }}" for key in options
        ]
        lines += ["  execution_accelerators {", "    gpu_execution_accelerator {", '      name: "tensorrt"']
        lines += [*given, "    }", "  }"]
    return ["optimization {", *lines, "}"] if lines else []


def _tensorrt(graph: ModelProto, manifest: Manifest, profile: Profile, largest: int) -> dict[str, str]:
    longest = max(manifest.max_length or 0, profile.length, *(length for length, _ in profile.lengths), 0)
    options = {"precision_mode": manifest.precision.partition("-")[0].upper()}
    workspace = profile.provider_options.get("trt_max_workspace_size")
    if workspace is not None:
        options["max_workspace_size_bytes"] = str(workspace)
    sizes = profile.sizes
    for kind, asked in (
        ("min", dict.fromkeys(sizes, 1)),
        ("opt", sizes),
        ("max", {**sizes, "batch": max(largest, 1), "length": longest}),
    ):
        shapes = [f"{value.name}:{'x'.join(map(str, _filled(value, asked)))}" for value in graph.graph.input]
        options[f"trt_profile_{kind}_shapes"] = ",".join(shapes)
    return options


def _filled(value: ValueInfoProto, sizes: Mapping[str, int]) -> list[int]:
    """Its shape, with these sizes of axes, see `Profile.sizes`, where the graph leaves them open."""
    dims = _dims(value)
    if len(dims) > 3:  # images
        return [sizes["batch"] if size == -1 else size for size in dims]
    asked = [sizes["batch"], *([sizes["choices"]] if len(dims) > 2 else []), sizes["length"]]
    return [wanted if size == -1 else size for size, wanted in zip(dims, asked, strict=True)]


def _parameters(profile: Profile, session: SessionSettings) -> list[str]:
    # A device behind an address knows its cores itself: 0 leaves them to the server there.
    threads = profile.threads or (physical_cores(profile.cores) if profile.address is None else 0)
    values = {"intra_op_thread_count": str(threads), "inter_op_thread_count": "1"}
    values |= {name: session.options[key] for key, name in _PARAMETERS.items() if key in session.options}
    lines = [
        f"parameters {{ key: {_quoted(key)} value {{ string_value: {_quoted(value)} }} }}"
        for key, value in values.items()
    ]
    return lines + [f"# Not to be set in Triton: {item}" for item in left_out(session)]


def _warm_up(graph: ModelProto, sizes: Mapping[str, int], batched: bool) -> list[str]:
    """Zeros: they are a token of every vocabulary, which random numbers are not."""
    name = _quoted(f"{sizes['length']} tokens")
    lines = ["model_warmup {", f"  name: {name}", f"  batch_size: {sizes['batch']}"]
    for value in graph.graph.input:
        dims = ", ".join(map(str, _filled(value, sizes)[1 if batched else 0 :]))
        content = f"data_type: {_type(value)} dims: [ {dims} ] zero_data: true"
        lines.append(f"  inputs {{ key: {_quoted(value.name)} value {{ {content} }} }}")
    return [*lines, "}"]


def _dims(value: ValueInfoProto) -> list[int]:
    """Sizes of an input or output; -1 where the graph leaves one open."""
    shape = value.type.tensor_type.shape
    return [dim.dim_value if dim.HasField("dim_value") else -1 for dim in shape.dim]


def _type(value: ValueInfoProto) -> str:
    number = value.type.tensor_type.elem_type
    if number not in _TYPES:
        name = TensorProto.DataType.Name(number)
        raise EngineError(
            f"{value.name!r} is of type {name}; permitted in Triton: {', '.join(_TYPES.values())}."
        )
    return _TYPES[number]


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
