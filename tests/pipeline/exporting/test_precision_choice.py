"""The choice of an engine's precision, on a device that takes the time it is told to take."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from onnx import ModelProto

from compresskit.display import Lines
from compresskit.engine.export import export_onnx
from compresskit.engine.precision import PrecisionTrial
from compresskit.engine.score import logits_of
from compresskit.engine.variants import Variant, variant_named
from compresskit.errors import EngineError, TargetError
from compresskit.inputs import Row
from compresskit.pipeline.exporting.corpus import Corpus
from compresskit.pipeline.exporting.device import NamedGraph
from compresskit.pipeline.exporting.final_graph import check_form
from compresskit.pipeline.exporting.graph_builder import PLAIN, GraphBuilder, Made
from compresskit.pipeline.exporting.precision_choice import PrecisionChooser
from compresskit.target.base import SessionSettings
from compresskit.target.comparison_result import Comparison, EngineMeasurement, Ratio
from compresskit.target.profile import Profile
from compresskit.tasks.classification import Classification
from compresskit.tasks.task import Split, Task
from tests.engine.models import SPOILED, make_model, make_rows, spoiled

ROWS = make_rows(tuple(range(3, 30)) * 4)


class FakeDevice:
    """Real logits; latencies by the name under which a graph is compared."""

    def __init__(self, latencies: dict[str, float], *, spread: float = 0.01) -> None:
        self.profile = Profile("fake")
        self.latencies = latencies
        self.spread = spread
        self.refused = ""

    def compare(self, graphs: Sequence[NamedGraph], baseline: str, *, decide: bool = False) -> Comparison:
        taken = {name: self.latencies.get(name, 9.0) for name, _, _ in graphs}
        measured = tuple(_measured(name, ms, self.spread) for name, ms in taken.items())
        ratios = tuple(
            Ratio(name, baseline, speedup, (speedup * (1 - self.spread), speedup * (1 + self.spread)))
            for name, ms in taken.items()
            if name != baseline and (speedup := taken[baseline] / ms)
        )
        return Comparison(measured, ratios, {}, ())

    def logits(
        self, graph: ModelProto, rows: Sequence[Row], session: SessionSettings | None = None
    ) -> npt.NDArray[Any]:
        if any(node.op_type == self.refused for node in graph.graph.node):
            raise TargetError("the device does not know this operator")
        return logits_of(graph, rows, session)


def _measured(name: str, ms: float, spread: float) -> EngineMeasurement:
    ci = (ms * (1 - spread), ms * (1 + spread))
    return EngineMeasurement(name, (ms,), ms, ci, None, None, 1e3 / ms, 1.0, None, 1)


@pytest.fixture(scope="module")
def plain() -> ModelProto:
    return export_onnx(make_model("bert"))


@pytest.fixture(scope="module")
def fragile(plain: ModelProto) -> ModelProto:
    """The same with an outlier in one layer, which int8 does not survive."""
    return spoiled(plain, 2000.0)


def corpus_for(graph: ModelProto) -> Corpus:
    """Labels are what the graph itself answers in fp32."""
    split = Split([("text",)] * len(ROWS), logits_of(graph, ROWS).argmax(axis=1), ROWS)
    task = Task(
        name="made up",
        kind=Classification(("a", "b", "c"), "accuracy"),
        text_columns=("text",),
        label_column="label",
        train=split,
        validation=split,
        test=split,
        search=split,
        notes=[],
    )
    return Corpus(task, ROWS[:16], split)


def chooser_for(
    graph: ModelProto, device: Any, max_drop: float, say: Callable[[str], None] = lambda _: None
) -> PrecisionChooser:
    def variant_for(_: str) -> Variant:
        return variant_named("first-token")

    corpus = corpus_for(graph)
    return PrecisionChooser(
        GraphBuilder(graph, variant_for, corpus.calibration), device, corpus, max_drop, Lines(say)
    )


def test_the_fastest_precision_within_the_drop_is_chosen(plain: ModelProto) -> None:
    said: list[str] = []
    device = FakeDevice({"fp32": 4.0, "int8": 2.0, "int8-static": 3.0})
    chosen = chooser_for(plain, device, 20.0, said.append).automatic()
    assert chosen.made.precision == "int8"
    assert "MatMulInteger" in {node.op_type for node in chosen.made.graph.graph.node}
    trials = {trial["precision"]: trial for trial in chosen.trials}
    assert list(trials) == ["fp32", "fp16", "int8", "int8-static"]
    assert trials["fp32"]["metric"] == 1.0
    assert trials["fp32"]["latency_ms"] == 4.0
    assert trials["int8"]["reason"] is None
    assert "casts fp16" in trials["fp16"]["reason"]
    assert trials["int8-static"]["reason"] == "3.000 ms against 2.000 ms"
    assert any(line.startswith("not fp16: ") for line in said)


def test_layers_that_suffer_stay_in_float(fragile: ModelProto) -> None:
    names = [f"{kind} but 1 layer in float" for kind in ("int8", "int8-static")]
    device = FakeDevice({"fp32": 4.0, "int8": 2.0, "int8-static": 2.0, names[0]: 2.5, names[1]: 3.0})
    chosen = chooser_for(fragile, device, 10.0).automatic()
    assert (chosen.made.precision, chosen.made.float_layers) == ("int8", (SPOILED,))
    whole, mixed = (trial for trial in chosen.trials if trial["precision"] == "int8")
    assert "points, 10 are permitted" in whole["reason"]
    assert (mixed["reason"], mixed["latency_ms"]) == (None, 2.5)
    assert mixed["metric"] > whole["metric"]


def test_fp32_stays_where_nothing_is_faster(plain: ModelProto) -> None:
    device = FakeDevice({"fp32": 1.0, "int8": 2.0, "int8-static": 3.0})
    assert chooser_for(plain, device, 50.0).automatic().made.precision == "fp32"


def test_what_the_device_refuses_is_passed_over(plain: ModelProto) -> None:
    device = FakeDevice({"fp32": 4.0, "int8-static": 3.0})
    device.refused = "MatMulInteger"
    chosen = chooser_for(plain, device, 50.0).automatic()
    assert chosen.made.precision == "int8-static"
    reasons = {trial["precision"]: trial["reason"] for trial in chosen.trials}
    assert reasons["int8"] == "the device does not know this operator"


def test_one_precision_keeps_the_drop_that_was_asked_for(fragile: ModelProto) -> None:
    chosen = chooser_for(fragile, FakeDevice({}), 10.0).within_drop("int8")
    assert chosen.made.float_layers == (SPOILED,)
    assert [trial["reason"] is None for trial in chosen.trials] == [False, False, True]
    roomy = chooser_for(fragile, FakeDevice({}), 100.0).within_drop("int8")
    assert roomy.made.float_layers == ()


def test_a_drop_that_cannot_be_kept_is_said(plain: ModelProto, monkeypatch: pytest.MonkeyPatch) -> None:
    chooser = chooser_for(plain, FakeDevice({}), 0.0)

    def logits(graph: ModelProto, rows: Sequence[Row], session: Any = None) -> npt.NDArray[Any]:
        found = logits_of(graph, rows, session)
        quantized = any(node.op_type == "MatMulInteger" for node in graph.graph.node)
        return -found if quantized else found

    monkeypatch.setattr(chooser.device, "logits", logits)
    with pytest.raises(EngineError, match=r"int8 loses .* points of accuracy.*--precision-drop"):
        chooser.within_drop("int8")


class TestForm:
    def made(self, graph: ModelProto, name: str = "first-token") -> tuple[GraphBuilder, Made]:
        builder = GraphBuilder(graph, lambda _: variant_named(name), ROWS[:4])
        return builder, builder.make("fp32")

    def check(self, graph: ModelProto, latencies: dict[str, float], **options: Any) -> tuple[Made, Any]:
        builder, made = self.made(graph, **options)
        device: Any = FakeDevice(latencies)
        return check_form(device, builder, made, lambda _: None)

    def test_the_chosen_form_stays_where_it_is_faster(self, plain: ModelProto) -> None:
        made, check = self.check(plain, {"chosen form": 2.0, "plain form": 3.0})
        assert made.variant.name == "first-token"
        assert check["speedup_over_plain"] == pytest.approx(1.5)
        assert check["speedup_over_plain_ci"][0] < 1.5 < check["speedup_over_plain_ci"][1]
        assert check["latency_ms"] == 2.0

    def test_the_plain_form_is_taken_where_it_is_shown_to_be_faster(self, plain: ModelProto) -> None:
        made, check = self.check(plain, {"chosen form": 3.0, "plain form": 2.0})
        assert made.variant == PLAIN
        assert check["latency_ms"] == 2.0
        draw, _ = self.check(plain, {"chosen form": 2.01, "plain form": 2.0})
        assert draw.variant.name == "first-token"

    def test_what_a_plain_session_loses_is_told(self, plain: ModelProto) -> None:
        latencies = {"chosen form": 2.0, "plain form": 3.0, "chosen form, plain session": 2.05}
        made, check = self.check(plain, latencies, name="first-token+no-spinning")
        assert made.variant.session.options == {"session.intra_op.allow_spinning": "0"}
        assert check["plain_session_ratio"] == pytest.approx(1.025)


def test_static_int8_reads_ranges_of_the_variants_own_values(plain: ModelProto) -> None:
    for name in ("plain", "first-token-packed"):
        builder = GraphBuilder(plain, lambda _, name=name: variant_named(name), ROWS[:8])  # type: ignore[misc]
        graph = builder.make("int8-static").graph
        wanted = logits_of(plain, ROWS)
        assert np.abs(logits_of(graph, ROWS) - wanted).mean() < 0.1 * np.abs(wanted).std() + 0.1


def test_a_trial_with_layers_in_float_says_so() -> None:
    assert PrecisionTrial("int8", None, None, float_layers=("a", "b")).name == "int8 but 2 layers in float"
