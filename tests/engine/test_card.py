from __future__ import annotations

from typing import Any

import pytest
from transformers import BertConfig

from compresskit.engine.card import model_card
from tests.engine.test_triton import make_manifest

MEASURED = {"latency_ms": 2.0, "latency_ci_ms": [1.9, 2.1], "dense_latency_ms": 5.0}


def card(**changes: Any) -> str:
    return model_card(make_manifest(**changes), BertConfig(), 1_500_000)


def test_card_tells_what_was_measured_and_where() -> None:
    text = card(lineage={"model": "tiny", "profile": {"name": "one"}, **MEASURED}, device={"cpu": "A 1"})
    for row in (
        "| test accuracy, by ONNX Runtime | 0.9000 |",
        "| made for profile | one |",
        "| latency, median and 95 % interval | 2.000 ms (1.900 to 2.100) |",
        "| latency of the dense model in fp32 | 5.000 ms |",
        "| speed-up | 2.50 |",
        "| processor | A 1 |",
        "| file size | 1.5 MB |",
    ):
        assert row in text


def test_card_has_the_paired_speedup_and_why_it_is_not_to_be_trusted() -> None:
    paired = {"speedup": 2.4, "speedup_ci": [2.3, 2.5], "latency_marks": ["busy", "wide"]}
    text = card(lineage={"model": "tiny", **MEASURED, **paired})
    assert "| speed-up, side by side | 2.40 (95 % interval 2.30 to 2.50) |" in text
    assert "| latency not to be trusted | busy; wide |" in text
    assert "2.50 |\n| speed-up" not in text


def test_what_was_not_measured_has_no_row() -> None:
    text = card(lineage={"model": "tiny"}, test_metric=None)
    assert "latency" not in text
    assert "speed-up" not in text
    assert "| test accuracy, by ONNX Runtime | not measured |" in text


def test_what_the_export_measured_stands_in_for_the_search() -> None:
    text = card(lineage={}, variant_check={"latency_ms": 2.0, "latency_ci_ms": [1.9, 2.1]})
    assert "| latency, median and 95 % interval | 2.000 ms (1.900 to 2.100) |" in text
    assert "speed-up" not in text


@pytest.mark.parametrize(
    ("session", "words"),
    [
        ({}, "loads `onnx/model.onnx` at the measured speed"),
        ({"options": {"a": "b"}}, "set {'options': {'a': 'b'}}"),
    ],
)
def test_card_says_what_a_plain_session_needs(session: dict[str, Any], words: str) -> None:
    assert words in card(session=session)


def test_card_shows_how_to_load_it_everywhere() -> None:
    text = card()
    for call in ("load_engine(", "ORTModelForSequenceClassification", "env.localModelPath", "load_pruned("):
        assert call in text
    assert text.count("```") == 8


def test_card_names_the_oldest_runtime_that_is_proven() -> None:
    facts = {"onnxruntime": "1.21.1", "opset": 20, "ir_version": 9, "other_domains": ["com.microsoft"]}
    text = card(runtime=facts)
    assert "| ONNX Runtime | 1.21.1 or later |" in text
    assert "| operators | ONNX's own (opset 20, IR 9) and of com.microsoft |" in text
    assert "| operators | ONNX's own (opset 23, IR 10) alone |" in card(
        runtime={"onnxruntime": "1.23.0", "opset": 23, "ir_version": 10, "other_domains": []}
    )
    assert "| ONNX Runtime |" not in card(runtime={})


def test_card_has_rows_interval_and_the_difference_to_dense() -> None:
    known = {"rows": 1821, "metric_ci": [0.88, 0.92]}
    text = card(test=known)
    assert "| test accuracy, by ONNX Runtime | 0.9000 (95 % interval 0.8800 to 0.9200, 1,821 rows) |" in text
    text = card(test={**known, "dense_metric": 0.91, "difference_ci": [-0.02, 0.001]})
    assert "; dense model 0.9100, difference -0.0100 (paired 95 % interval -0.0200 to +0.0010) |" in text


def test_judges_stand_beside_the_test_metric() -> None:
    said = {"metric_name": "spearman", "metric": 0.85, "rows": 1500, "prior": 0.0, "metric_ci": [0.83, 0.87]}
    row = "| stsb, spearman | 0.8500 (95 % interval 0.8300 to 0.8700, 1,500 rows); dense model 0.8672 |"
    assert row in card(judges={"stsb": {**said, "dense_metric": 0.8672}})
