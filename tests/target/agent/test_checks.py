from __future__ import annotations

from collections.abc import Callable

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from compresskit.target.agent.checks import GraphRefusedError, accept_graph
from compresskit.target.stripped_graph import strip_weights
from tests.target.agent import graphs

LIMIT = 64 << 20
ATTACKS: list[tuple[Callable[[], onnx.ModelProto], str]] = [
    (graphs.terabyte, "weights take 1,099,511,627,776 bytes"),
    (graphs.endless_loop, "ai.onnx.Loop is not permitted"),
    (graphs.outside_data, "data outside the model"),
    (graphs.outside_attribute, "data outside the model"),
    (graphs.outside_subgraph, "ai.onnx.If is not permitted"),
    (lambda: graphs.outside_subgraph("Identity"), "holds a g"),
    (graphs.outside_sparse, "sparse"),
    (graphs.custom_domain, "evil.example"),
    (graphs.compiled_context, "com.microsoft.EPContext is not permitted"),
    (graphs.local_function, "local functions"),
    (graphs.missing_values, "declares 4,000,000 bytes and holds 0"),
]


def accept(model: onnx.ModelProto) -> onnx.ModelProto:
    return accept_graph(model.SerializeToString(), memory_limit_bytes=LIMIT)


@pytest.mark.parametrize(("attack", "words"), ATTACKS)
def test_refuses(attack: Callable[[], onnx.ModelProto], words: str) -> None:
    with pytest.raises(GraphRefusedError, match=words):
        accept(attack())


def test_a_terabyte_is_declared_in_less_than_a_kilobyte() -> None:
    assert graphs.terabyte().ByteSize() < 1000


def test_takes_honest_graphs_with_and_without_weights() -> None:
    full = graphs.text_graph()
    assert len(accept(full).graph.initializer) == 3
    assert len(accept(strip_weights(full)).graph.node) == 3


def test_drops_everything_that_was_not_checked() -> None:
    model = graphs.text_graph()
    model.metadata_props.add(key="ort_config", value='{"session_options": {}}')
    model.graph.node[0].doc_string = "x"
    model.graph.value_info.append(helper.make_tensor_value_info("hidden", TensorProto.FLOAT, [1, 1, 1]))
    # Field 200 is unknown to every version of ONNX.
    data = model.SerializeToString() + bytes([0xC2, 0x0C, 0x03]) + b"abc"
    kept = accept_graph(data, memory_limit_bytes=LIMIT)
    assert not kept.metadata_props
    assert not kept.graph.value_info
    assert not kept.graph.node[0].doc_string
    assert b"abc" not in kept.SerializeToString()


@pytest.mark.parametrize("data", [b"", b"\x00", b"not a model", b"\xff" * 300, b"\x3a\xff\xff\xff\xff\x0f"])
def test_refuses_what_is_no_model(data: bytes) -> None:
    with pytest.raises(GraphRefusedError):
        accept_graph(data, memory_limit_bytes=LIMIT)


def test_refuses_an_initializer_named_twice() -> None:
    model = graphs.text_graph()
    model.graph.initializer.append(model.graph.initializer[0])
    with pytest.raises(GraphRefusedError, match="share a name"):
        accept(model)


@pytest.mark.parametrize("scales", ["[]", "{", '{"table": [1]}', '{"table": [1, -1]}', '{"other": [0, 1]}'])
def test_refuses_a_malformed_record_of_weights(scales: str) -> None:
    model = strip_weights(graphs.text_graph())
    model.metadata_props[0].value = f'{{"seed": 0, "scales": {scales}}}'
    with pytest.raises(GraphRefusedError):
        accept(model)


def test_refuses_negative_and_huge_dimensions() -> None:
    for dims in ([-1, 4], [1 << 62, 1 << 62], [1] * 40):
        model = graphs.text_graph()
        model.graph.initializer[0].ClearField("dims")
        model.graph.initializer[0].dims.extend(dims)
        if dims != [1] * 40:
            model.graph.initializer[0].ClearField("raw_data")
        with pytest.raises(GraphRefusedError):
            accept(model)


def test_refuses_an_input_too_large_to_feed() -> None:
    model = graphs.text_graph()
    model.graph.input[0].type.tensor_type.shape.dim[1].dim_value = 1 << 40
    with pytest.raises(GraphRefusedError, match="too large"):
        accept(model)


def mutated(data: bytes, rng: np.random.Generator) -> bytes:
    """`data` with some bytes flipped, cut out, doubled or put elsewhere."""
    changed = bytearray(data)
    for _ in range(int(rng.integers(1, 8))):
        at = int(rng.integers(0, max(len(changed), 1)))
        size = int(rng.integers(1, 32))
        match int(rng.integers(0, 5)):
            case 0:
                changed[at : at + 1] = rng.bytes(1)
            case 1:
                del changed[at : at + size]
            case 2:
                changed[at:at] = changed[at : at + size]
            case 3:
                changed[at : at + size] = rng.bytes(size)
            case _:
                changed[at : at + 1] = bytes([0xFF] * int(rng.integers(1, 10)))
    return bytes(changed)


def survive(count: int) -> int:
    """How many of `count` mutated graphs are refused; anything but a refusal or a graph is an error."""
    rng = np.random.default_rng(0)
    seeds = [
        strip_weights(graphs.text_graph()).SerializeToString(),
        graphs.outside_subgraph().SerializeToString(),
    ]
    return sum(is_refused(mutated(seeds[number % 2], rng)) for number in range(count))


def is_refused(data: bytes) -> bool:
    try:
        model = accept_graph(data, memory_limit_bytes=LIMIT)
    except GraphRefusedError:
        return True
    assert not any(tensor.external_data for tensor in model.graph.initializer)
    return False


def test_survives_mutations() -> None:
    assert survive(600) > 300


@pytest.mark.slow
def test_survives_ten_thousand_mutations() -> None:
    assert survive(10_000) > 5_000
