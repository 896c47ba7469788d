from __future__ import annotations

import importlib.util
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from google.protobuf import text_format
from tokenizers import Tokenizer

from compresskit.bundle import Manifest, verify
from compresskit.bundle.loader import load_engine
from compresskit.engine.triton import config_text, left_out, model_name, write_triton
from compresskit.engine.verify import torch_logits
from compresskit.errors import ConfigurationError, EngineError
from compresskit.pruning.extract import extract
from compresskit.target.base import SessionSettings
from compresskit.target.profile import Profile, load_profile
from tests.engine.models import ARCHITECTURES
from tests.engine.test_folder import TEXTS, make_tokenizer

ONE_THREAD = Profile("one", threads=1, batch=1, length=16)


def make_manifest(**changes: Any) -> Manifest:
    architecture = ARCHITECTURES["irregular"]
    fields: dict[str, Any] = {
        "architecture": architecture.to_json(),
        "signature": architecture.signature,
        "precision": "fp32",
        "metric_name": "accuracy",
        "test_metric": 0.9,
        "num_params": 1,
        "macs": 1,
        "variant": "plain",
        "labels": ["bad", "fair", 'so "good"'],
        "lineage": {"run": "my reviews", "trial_id": 12},
        "max_length": 30,
    }
    return Manifest(**{**fields, **changes})


@cache
def tritons_definition() -> Any:
    """The module that protoc made of Triton's model_config.proto.

    Loaded by its path: its package would import grpc.
    """
    package = importlib.util.find_spec("tritonclient")
    assert package is not None and package.submodule_search_locations
    path = Path(package.submodule_search_locations[0]) / "grpc" / "model_config_pb2.py"
    spec = importlib.util.spec_from_file_location("model_config_pb2", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def parse(text: str) -> Any:
    """The text as Triton itself reads it; ParseError for a field or value that it does not know."""
    return text_format.Parse(text, tritons_definition().ModelConfig())


@pytest.fixture(scope="module")
def graph(exported: Callable[[str], Any]) -> Any:
    return exported("bert").slicer.slice(ARCHITECTURES["irregular"])


@pytest.fixture
def folder(graph: Any, tmp_path: Path) -> Path:
    """The model's folder in a repository."""
    write_triton(
        tmp_path / "repository",
        graph=graph,
        reader=make_tokenizer(),
        manifest=make_manifest(),
        profile=ONE_THREAD,
    )
    return tmp_path / "repository" / "my-reviews-trial-12"


def test_repository_has_the_layout_that_triton_expects(folder: Path) -> None:
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]
    present = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert {"config.pbtxt", "1/model.onnx", "labels.txt", "tokenizer/tokenizer.json"} <= present
    assert (folder / "labels.txt").read_text().splitlines() == ["bad", "fair", 'so "good"']
    manifest = verify(folder)
    assert set(manifest.files) | {"compresskit.json"} == present
    assert "onnxruntime" in manifest.versions


def test_config_parses_by_tritons_definition(folder: Path) -> None:
    config = parse((folder / "config.pbtxt").read_text())
    assert (config.platform, config.max_batch_size) == ("onnxruntime_onnx", 32)
    assert [(item.name, item.data_type, list(item.dims)) for item in config.input] == [
        (name, 9, [-1]) for name in ("input_ids", "attention_mask", "token_type_ids")
    ]  # 9 is TYPE_INT64
    (output,) = config.output
    assert (output.name, output.data_type, list(output.dims)) == ("logits", 11, [3])  # TYPE_FP32
    assert output.label_filename == "labels.txt"
    assert config.HasField("dynamic_batching")
    (group,) = config.instance_group
    assert (group.kind, group.count, list(group.gpus)) == (2, 1, [])  # KIND_CPU
    assert config.parameters["intra_op_thread_count"].string_value == "1"
    (warm_up,) = config.model_warmup
    assert warm_up.batch_size == 1
    assert {
        name: (item.data_type, list(item.dims), item.zero_data) for name, item in warm_up.inputs.items()
    } == {item.name: (9, [16], True) for item in config.input}


def test_what_the_config_says_fits_the_graph(folder: Path) -> None:
    """Without Triton's definition: names, dimensions and warm-up against ONNX Runtime's own view."""
    text = (folder / "config.pbtxt").read_text()
    session = onnxruntime.InferenceSession(folder / "1" / "model.onnx")
    inputs = re.findall(
        r'^input \{\n  name: "(\w+)"\n  data_type: TYPE_(\w+)\n  dims: \[ (.*) \]', text, re.M
    )
    assert inputs == [(item.name, "INT64", "-1") for item in session.get_inputs()]
    assert all(item.shape == ["batch", "length"] for item in session.get_inputs())
    warm = {
        name: np.zeros((1, int(size)), np.int64)
        for name, size in re.findall(r'inputs \{ key: "(\w+)" value \{ .* dims: \[ (\d+) \]', text)
    }
    assert np.isfinite(session.run(None, warm)[0]).all()


def test_graph_answers_as_the_engine_does_from_what_the_repository_holds(
    folder: Path, exported: Callable[[str], Any]
) -> None:
    session = onnxruntime.InferenceSession(folder / "1" / "model.onnx")
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer" / "tokenizer.json"))
    pruned = extract(exported("bert").model, ARCHITECTURES["irregular"])
    for text in TEXTS:
        encoded = tokenizer.encode(text)
        row = {
            "input_ids": encoded.ids,
            "attention_mask": encoded.attention_mask,
            "token_type_ids": encoded.type_ids,
        }
        logits = session.run(["logits"], {name: np.array([ids]) for name, ids in row.items()})[0]
        wanted = torch_logits(pruned, [{"input_ids": encoded.ids, "token_type_ids": encoded.type_ids}])
        np.testing.assert_allclose(logits, wanted, rtol=0, atol=1e-5)


def test_a_gpu_profile_gives_a_gpu_instance(graph: Any) -> None:
    config = parse(config_text(graph, make_manifest(precision="fp16"), load_profile("tensorrt-fp16")))
    (group,) = config.instance_group
    assert (group.kind, list(group.gpus)) == (1, [0])  # KIND_GPU
    (accelerator,) = config.optimization.execution_accelerators.gpu_execution_accelerator
    assert accelerator.name == "tensorrt"
    options = dict(accelerator.parameters)
    assert options["precision_mode"] == "FP16"
    static = parse(config_text(graph, make_manifest(precision="int8-static"), load_profile("tensorrt-fp16")))
    (accelerator,) = static.optimization.execution_accelerators.gpu_execution_accelerator
    assert dict(accelerator.parameters)["precision_mode"] == "INT8"
    assert options["trt_profile_min_shapes"].startswith("input_ids:1x1,")
    assert options["trt_profile_opt_shapes"].startswith("input_ids:8x128,")
    assert options["trt_profile_max_shapes"].startswith("input_ids:32x128,")
    assert config.model_warmup[0].batch_size == 8


def test_session_settings_are_passed_on_or_named(graph: Any) -> None:
    settings = SessionSettings(
        {"session.enable_cpu_mem_arena": "0", "session.intra_op.allow_spinning": "0"},
        "extended",
    )
    text = config_text(graph, make_manifest(session=settings.to_json()), ONE_THREAD)
    left = ["session.intra_op.allow_spinning=0"]
    assert left_out(settings) == left
    assert [line for line in text.splitlines() if line.startswith("#")] == [
        f"# Not to be set in Triton: {item}" for item in left
    ]
    config = parse(text)
    assert config.optimization.graph.level == 1
    assert config.parameters["enable_mem_arena"].string_value == "0"


def test_a_graph_of_one_batch_is_not_batched(graph: Any) -> None:
    fixed = type(graph)()
    fixed.CopyFrom(graph)
    for value in fixed.graph.input:
        value.type.tensor_type.shape.dim[0].dim_value = 1
        value.type.tensor_type.shape.dim[1].dim_value = 16
    fixed.graph.output[0].type.tensor_type.shape.dim[0].dim_value = 1
    text = config_text(fixed, make_manifest(), ONE_THREAD)
    assert "max_batch_size: 0\n" in text
    assert "dynamic_batching" not in text
    assert text.count("dims: [ 1, 16 ]") == 6
    assert "dims: [ 1, 3 ]" in text


def test_each_length_of_a_mix_is_warmed_up(graph: Any) -> None:
    profile = ONE_THREAD.with_(lengths=[[16, 0.5], [32, 0.5]])
    text = config_text(graph, make_manifest(), profile)
    assert re.findall(r'name: "(\d+) tokens"', text) == ["16", "32"]


@pytest.mark.parametrize(
    ("lineage", "precision", "name"),
    [
        ({"run": "reviews", "trial_id": None}, "fp32", "reviews-dense"),
        ({"run": "a b/c", "trial_id": 0}, "int8", "a-b-c-trial-0-int8"),
        ({}, "fp32", "engine-dense"),
    ],
)
def test_models_of_one_run_have_different_names(lineage: dict[str, Any], precision: str, name: str) -> None:
    assert model_name(make_manifest(lineage=lineage, precision=precision)) == name


def test_bad_input_is_named(graph: Any, folder: Path) -> None:
    with pytest.raises(ConfigurationError, match="not empty"):
        write_triton(
            folder.parent,
            graph=graph,
            reader=make_tokenizer(),
            manifest=make_manifest(),
            profile=ONE_THREAD,
        )
    odd = type(graph)()
    odd.CopyFrom(graph)
    odd.graph.input[0].type.tensor_type.elem_type = 8
    with pytest.raises(EngineError, match="'input_ids' is of type STRING; permitted in Triton: TYPE_BOOL"):
        config_text(odd, make_manifest(), ONE_THREAD)
    with pytest.raises(EngineError, match=r"lacks its file onnx/model\.onnx"):
        load_engine(folder)
