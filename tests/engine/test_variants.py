from __future__ import annotations

import copy
import re
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
import torch
from onnx import ModelProto

from compresskit.engine.count import count_macs, count_params
from compresskit.engine.editing import GraphEditor
from compresskit.engine.export import export_onnx
from compresskit.engine.quantize import to_precision
from compresskit.engine.score import logits_of
from compresskit.engine.variants import (
    SESSIONS,
    VARIANTS,
    Variant,
    check_equal,
    choose_session,
    choose_variant,
    variant_named,
)
from compresskit.engine.verify import torch_logits
from compresskit.errors import ConfigurationError, EngineError, TargetError
from compresskit.pruning.extract import extract
from compresskit.supernet.embedder import SETTINGS, AutoEmbedder
from compresskit.target.agent.allowed import SESSION_OPTIONS, check_options
from compresskit.target.base import SessionSettings
from compresskit.tasks.sentence import POOLINGS
from tests.engine.models import ARCHITECTURES, make_model, make_rows


@pytest.fixture(scope="module")
def embedders() -> Mapping[str, ModelProto]:
    """Plain graphs of tiny BERTs by pooling."""
    graphs = {}
    for pooling in POOLINGS:
        config = make_model().config
        setattr(config, SETTINGS, {"pooling": pooling, "normalize": True})
        torch.manual_seed(0)
        graphs[pooling] = export_onnx(AutoEmbedder.from_config(config).eval())
    return graphs


@pytest.mark.parametrize("name", ARCHITECTURES)
@pytest.mark.parametrize("variant", VARIANTS, ids=lambda variant: variant.name)
def test_variants_compute_the_same(exported: Callable[[str], Any], variant: Variant, name: str) -> None:
    made, architecture = exported("bert"), ARCHITECTURES[name]
    graph = variant.apply(made.slicer.slice(architecture))
    rows = make_rows()
    wanted = torch_logits(extract(made.model, architecture), rows)
    np.testing.assert_allclose(logits_of(graph, rows, variant.session), wanted, rtol=0, atol=1e-5)
    assert count_params(graph) == made.blueprint.num_params(architecture)


@pytest.mark.parametrize("model_type", ["distilbert", "roberta", "modernbert"])
@pytest.mark.parametrize("variant", VARIANTS, ids=lambda variant: variant.name)
def test_variants_serve_other_families(
    exported: Callable[[str], Any], model_type: str, variant: Variant
) -> None:
    made, architecture = exported(model_type), ARCHITECTURES["irregular"]
    sliced = made.slicer.slice(architecture)
    assert check_equal(sliced, variant.apply(copy.deepcopy(sliced)), variant.session) < 1e-5


@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize("variant", VARIANTS, ids=lambda variant: variant.name)
def test_variants_leave_all_tokens_beside_a_texts_vector(
    embedders: Mapping[str, ModelProto], pooling: str, variant: Variant
) -> None:
    """The first token alone would do for the vector of `cls`, but others pool for themselves."""
    plain = embedders[pooling]
    assert [item.name for item in plain.graph.output] == ["last_hidden_state", "sentence_embedding"]
    assert check_equal(plain, variant.apply(copy.deepcopy(plain)), variant.session) < 1e-5


def test_a_graph_with_other_tokens_is_not_equal(embedders: Mapping[str, ModelProto]) -> None:
    fewer = copy.deepcopy(embedders["cls"])
    editor = GraphEditor(fewer)
    (last,) = [node for node in editor.nodes if node.output[0] == "last_hidden_state"]
    bounds = [editor.add_constant(f"bound_{n}", np.array([n], dtype=np.int64)) for n in (0, 1)]
    last.output[0] = "all_tokens"
    for node in editor.nodes:
        for place, name in enumerate(node.input):
            if name == "last_hidden_state":
                node.input[place] = "all_tokens"
    editor.add("Slice", ["all_tokens", *bounds, bounds[1]], ["last_hidden_state"], before=editor.nodes[-1])
    with pytest.raises(EngineError, match="another shape"):
        check_equal(embedders["cls"], editor.finish(), SessionSettings())


def test_only_the_first_token_is_computed_behind_the_last_attention(
    exported: Callable[[str], Any],
) -> None:
    made, length = exported("bert"), 10
    for name in ("full", "last without heads"):
        architecture = ARCHITECTURES[name]
        plain = made.slicer.slice(architecture)
        less = variant_named("first-token").apply(copy.deepcopy(plain))
        last = max(i for i, layer in enumerate(architecture.layers) if layer.heads.mask)
        heads = architecture.layers[last].heads.count * made.blueprint.dims.head_size
        hidden = made.blueprint.dims.hidden_size
        units = sum(layer.units.count for layer in architecture.layers[last:])
        saved = (length - 1) * (2 * hidden * heads + 2 * length * heads + 2 * hidden * units)
        assert count_macs(plain, 1, length) - count_macs(less, 1, length) == saved


def test_operators_are_those_that_the_names_promise(exported: Callable[[str], Any]) -> None:
    dense = exported("bert").plain

    def operators(name: str) -> Counter[str]:
        return Counter(node.op_type for node in variant_named(name).apply(copy.deepcopy(dense)).graph.node)

    assert operators("plain")["Softmax"] == 3
    assert operators("first-token-onnx-attention")["Attention"] == 3
    assert operators("first-token-multi-head")["MultiHeadAttention"] == 3
    assert operators("first-token-packed-attention")["Attention"] == 2
    assert operators("first-token-packed")["Split"] == 3
    assert operators("first-token-fused-norms")["SkipLayerNormalization"] == 7
    assert operators("first-token")["Sum"] == 7
    assert operators("first-token-apart-gelu")["Sum"] == 10


def test_the_fastest_is_chosen_and_failures_are_passed_over(exported: Callable[[str], Any]) -> None:
    times = {"plain": 3.0, "first-token": 2.0, "first-token-packed": 1.0}

    def measure(graph: ModelProto, variant: Variant) -> float:
        if variant.name == "first-token-packed":
            raise TargetError("the device refuses")
        return times[variant.name]

    assert choose_variant(measure, exported("bert").plain, variants=VARIANTS[:3]).name == "first-token"


def test_a_draw_goes_to_the_simpler_graph(exported: Callable[[str], Any]) -> None:
    times = iter([1.0, 0.999])
    chosen = choose_variant(lambda *_: next(times), exported("bert").plain, variants=VARIANTS[:2])
    assert chosen.name == "plain"


def test_a_wrong_rewrite_is_not_chosen(exported: Callable[[str], Any]) -> None:
    def spoil(model: ModelProto) -> ModelProto:
        for item in model.graph.initializer:
            if item.name == "classifier.bias":
                item.raw_data = np.full(3, 0.5, dtype=np.float32).tobytes()
        return model

    wrong = Variant("wrong", (spoil,))
    with pytest.raises(EngineError, match="no variant"):
        choose_variant(lambda *_: 1.0, exported("bert").plain, variants=[wrong])


def test_unknown_name_lists_the_variants() -> None:
    for name in ("fast", "plain+fast"):
        with pytest.raises(ConfigurationError, match=rf"'{re.escape(name)}'.*first-token-packed.*plain"):
            variant_named(name)


def test_session_settings_are_taken_where_they_gain(exported: Callable[[str], Any]) -> None:
    plain, variant = exported("bert").plain, variant_named("first-token")

    def choose(times: dict[str, float]) -> Variant:
        def measure(_: ModelProto, variant: Variant) -> float:
            if variant.name not in times:
                raise TargetError("the device refuses")
            return times[variant.name]

        return choose_session(measure, plain, variant)

    assert choose({"first-token": 2.0}) == variant
    assert choose({"first-token": 2.0, "first-token+no-arena": 1.97}) == variant
    found = choose({"first-token": 2.0, "first-token+no-arena": 1.9, "first-token+no-spinning": 1.5})
    assert found.name == "first-token+no-spinning"
    assert found.session.options == {"session.intra_op.allow_spinning": "0"}
    assert variant_named(found.name) == found


@pytest.mark.parametrize("name", SESSIONS)
def test_every_session_runs(exported: Callable[[str], Any], name: str) -> None:
    variant = variant_named("first-token").with_session(name)
    plain = exported("bert").plain
    assert check_equal(plain, variant.apply(copy.deepcopy(plain)), variant.session) < 1e-5
    check_options("session option", variant.session.options, SESSION_OPTIONS)


@pytest.mark.parametrize("pooling", POOLINGS)
def test_vectors_in_fp16_stay_near(embedders: Mapping[str, ModelProto], pooling: str) -> None:
    """Tokens are an output, and what is pooled."""
    half = to_precision(copy.deepcopy(embedders[pooling]), "fp16")
    np.testing.assert_allclose(
        logits_of(half, make_rows()), logits_of(embedders[pooling], make_rows()), atol=0.01
    )
