from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from compresskit.errors import TargetError
from compresskit.target.stripped_graph import fill_weights, strip_weights, weight_bytes


def model_of(*values: tuple[str, np.ndarray]) -> onnx.ModelProto:
    initializers = [numpy_helper.from_array(value, name) for name, value in values]
    outputs = [
        helper.make_tensor_value_info(f"{name}_out", t.data_type, None)
        for (name, _), t in zip(values, initializers, strict=True)
    ]
    nodes = [helper.make_node("Identity", [name], [f"{name}_out"]) for name, _ in values]
    graph = helper.make_graph(nodes, "graph", [], outputs, initializers)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def refilled(model: onnx.ModelProto, folder: Path, seed: int = 0) -> dict[str, np.ndarray]:
    folder.mkdir(exist_ok=True)
    path = fill_weights(strip_weights(model, seed=seed), folder)
    return {tensor.name: numpy_helper.to_array(tensor) for tensor in onnx.load(str(path)).graph.initializer}


RNG = np.random.default_rng(0)
LARGE = RNG.normal(0.3, 0.05, (300, 400))


def test_large_weights_are_drawn_at_their_own_scale(tmp_path: Path) -> None:
    model = model_of(
        ("single", LARGE.astype(np.float32)),
        ("half", LARGE.astype(np.float16)),
        ("bytes", np.rint(LARGE * 100).astype(np.int8)),
        ("unsigned", np.rint(LARGE * 100 + 100).astype(np.uint8)),
    )
    for name, value in refilled(model, tmp_path).items():
        old = numpy_helper.to_array(next(t for t in model.graph.initializer if t.name == name))
        assert value.dtype == old.dtype
        assert value.shape == old.shape
        assert not np.array_equal(value, old)
        assert value.mean(dtype=np.float64) == pytest.approx(old.mean(dtype=np.float64), rel=0.02)
        assert value.std(dtype=np.float64) == pytest.approx(old.std(dtype=np.float64), rel=0.02)


def test_small_and_integer_tensors_stay(tmp_path: Path) -> None:
    norm, table = RNG.normal(size=768).astype(np.float32), np.arange(9000, dtype=np.int64)
    masked = np.where(LARGE > 0.3, -np.inf, 0).astype(np.float32)
    found = refilled(model_of(("norm", norm), ("table", table), ("masked", masked)), tmp_path)
    np.testing.assert_array_equal(found["norm"], norm)
    np.testing.assert_array_equal(found["table"], table)
    np.testing.assert_array_equal(found["masked"], masked)


def test_same_seed_same_values(tmp_path: Path) -> None:
    model = model_of(("one", LARGE.astype(np.float32)), ("two", LARGE.astype(np.float32)))
    first, again = refilled(model, tmp_path / "a"), refilled(model, tmp_path / "b")
    other = refilled(model, tmp_path / "c", seed=1)
    np.testing.assert_array_equal(first["one"], again["one"])
    assert not np.array_equal(first["one"], first["two"])
    assert not np.array_equal(first["one"], other["one"])


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
@pytest.mark.parametrize("scale", [0.0, 1e-7, 1e-40, 3e4])
def test_values_are_finite_and_never_subnormal(tmp_path: Path, dtype: type, scale: float) -> None:
    value = refilled(model_of(("weight", ((LARGE - 0.3) * scale).astype(dtype))), tmp_path)["weight"]
    assert np.isfinite(value).all()
    assert not ((value != 0) & (np.abs(value) < np.finfo(dtype).smallest_normal)).any()


def test_activations_keep_their_scale(tmp_path: Path) -> None:
    """Repeated blocks of random numbers must not line up: sums over them would grow."""
    value = refilled(model_of(("weight", RNG.normal(0, 1, (2048, 1024)).astype(np.float32))), tmp_path)[
        "weight"
    ]
    assert value.sum(axis=0).std() == pytest.approx(2048**0.5, rel=0.1)


def test_metadata_does_not_travel() -> None:
    model = model_of(("weight", LARGE.astype(np.float32)))
    model.graph.node[0].doc_string = "d" * 1000
    model.graph.node[0].metadata_props.add(key="k", value="v" * 1000)
    model.graph.value_info.append(helper.make_tensor_value_info("x" * 1000, TensorProto.FLOAT, None))
    light = strip_weights(model)
    assert light.ByteSize() < 500
    assert model.graph.node[0].doc_string


def test_a_layer_of_bert_base_travels_light() -> None:
    """Twelve of them, with embeddings, stay below 1 MB."""
    hidden, units = 768, 3072
    shapes = [(hidden, hidden)] * 4 + [(hidden, units), (units, hidden)] + [(hidden,)] * 9 + [(units,)]
    model = model_of(
        *((f"encoder.layer.0.weight{i}", np.ones(shape, np.float32)) for i, shape in enumerate(shapes))
    )
    assert 12 * strip_weights(model).ByteSize() < 700_000


def test_size_is_checked_before_anything_is_written(tmp_path: Path) -> None:
    light = strip_weights(model_of(("weight", LARGE.astype(np.float32))))
    light.graph.initializer[0].dims[0] = 1 << 40
    assert weight_bytes(light) == (1 << 40) * 1600
    with pytest.raises(TargetError, match="permitted: 1,000"):
        fill_weights(light, tmp_path, memory_limit_bytes=1000)
    assert not list(tmp_path.iterdir())


def test_a_record_of_another_tensor_is_refused(tmp_path: Path) -> None:
    light = strip_weights(model_of(("weight", LARGE.astype(np.float32))))
    light.graph.initializer[0].name = "other"
    with pytest.raises(TargetError, match="'weight'"):
        fill_weights(light, tmp_path)
