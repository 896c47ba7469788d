"""Precisions, embeddings and vocabulary from a search to its engines."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tokenizers import Tokenizer
from transformers import AutoTokenizer, BertConfig, BertModel, BertTokenizerFast

from compresskit.bundle.loader import load_engine
from compresskit.engine.verify import torch_logits
from compresskit.errors import ConfigurationError
from compresskit.pipeline.export import export
from compresskit.pipeline.search import search
from compresskit.pipeline.store.reuse import known_scores, take_over
from compresskit.pruning.reload import load_pruned
from compresskit.runs import RunDirectory
from tests.pipeline.make import make_inputs, settings_for

TEXTS = ["the soup was not good at all", "a very good room"]
UNUSED = 60


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With tokens in the vocabulary that no text uses, between those that are used."""
    folder = tmp_path_factory.mktemp("inputs")
    make_inputs(folder)
    tokens = sorted(Tokenizer.from_file(str(folder / "model" / "tokenizer.json")).get_vocab().items())
    words = [token for token, _ in sorted(tokens, key=lambda item: item[1])]
    vocabulary = words[:6] + [f"unused{i}" for i in range(UNUSED)] + words[6:]
    config = BertConfig.from_pretrained(folder / "model")
    config.vocab_size = len(vocabulary)
    tokenizer = BertTokenizerFast(vocab={token: i for i, token in enumerate(vocabulary)})
    BertModel(config).save_pretrained(folder / "model")
    tokenizer.save_pretrained(folder / "model")
    return folder


@pytest.fixture(scope="module")
def run(inputs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A search in two precisions, ended early and resumed."""
    folder = tmp_path_factory.mktemp("runs") / "run"
    settings = settings_for(inputs, precisions=("fp32", "int8"), trials=4, max_length=16)
    search(settings, folder)
    search(None, folder, resume=True, changes={"trials": 8})
    return folder


def int8_trial(run: Path) -> int:
    """The full architecture in int8."""
    record = RunDirectory.open(run).trials()[1]
    assert record.precision == "int8"
    return record.trial_id


def test_both_precisions_are_searched_measured_and_scored(run: Path) -> None:
    opened = RunDirectory.open(run)
    records = opened.trials()
    assert [record.trial_id for record in records] == list(range(8))
    assert all(record.is_completed for record in records), [record.error for record in records]
    assert len({record.candidate for record in records}) == 8
    assert records[0].signature == records[1].signature
    assert [record.precision for record in records[:6]] == ["fp32", "int8"] * 3
    assert (records[1].size_bytes or 0) < (records[0].size_bytes or 0)
    measured = {(record["signature"], record["precision"]) for record in opened.latencies()}
    assert {(record.signature, record.precision) for record in records} <= measured
    assert set(opened.info["variants"]) == {"int8"}
    variants = {record["precision"]: record["variant"] for record in opened.latencies()}
    assert variants == {"fp32": opened.info["variant"], "int8": opened.info["variants"]["int8"]}
    dense = opened.front().dense
    assert dense is not None
    assert dense.precision == "fp32"


def test_scores_of_int8_are_not_taken_for_those_of_fp32(run: Path, tmp_path: Path) -> None:
    source = RunDirectory.open(run)
    with RunDirectory.create(tmp_path / "run", source.settings) as other:
        take_over(source, other)
        assert len(other.info["scores"]) == sum(record.precision == "fp32" for record in source.trials())
        first = source.trials()[0]
        assert known_scores(other)[first.candidate.architecture] == (
            first.metric,
            first.fidelity,
            first.worth,
        )


def test_a_point_is_exported_in_its_own_precision(run: Path, tmp_path: Path) -> None:
    manifest = export(run, tmp_path / "engine", trial=int8_trial(run))
    assert manifest.precision == "int8"
    assert manifest.variant_check["latency_ms"] > 0
    engine = load_engine(tmp_path / "engine", threads=1)
    plain = torch_logits(load_pruned(tmp_path / "engine"), engine.encode(TEXTS))
    found = engine.predict(TEXTS)
    assert not np.allclose(found, plain, atol=1e-6)
    np.testing.assert_allclose(found, plain, atol=0.2)


def test_auto_records_what_every_precision_gave(run: Path, tmp_path: Path) -> None:
    said: list[str] = []
    manifest = export(
        run, tmp_path / "engine", trial=0, precision="auto", precision_drop=100, say=said.append
    )
    trials = {trial["precision"]: trial for trial in manifest.precision_trials}
    assert set(trials) == {"fp32", "fp16", "int8", "int8-static"}
    for precision in ("fp32", "int8", "int8-static"):
        assert trials[precision]["latency_ms"] > 0
        assert 0 <= trials[precision]["metric"] <= 1
    reasons = [trial["reason"] for trial in manifest.precision_trials]
    assert reasons.count(None) == 1
    chosen = next(trial for trial in manifest.precision_trials if trial["reason"] is None)
    assert chosen["precision"] == manifest.precision
    assert chosen["latency_ms"] == min(
        trial["latency_ms"] for trial in manifest.precision_trials if trial["latency_ms"]
    )
    assert sum(line.startswith("not ") for line in said) == 3


def test_embeddings_and_vocabulary_shrink_together(inputs: Path, run: Path, tmp_path: Path) -> None:
    said: list[str] = []
    options: dict[str, Any] = {"embeddings": "int8", "trim_vocabulary": True, "say": said.append}
    whole = export(run, tmp_path / "whole", trial=0)
    manifest = export(run, tmp_path / "small", trial=0, **options)
    assert manifest.embeddings == "int8"
    assert manifest.vocabulary["of"] - manifest.vocabulary["tokens"] >= UNUSED
    assert manifest.num_params == whole.num_params - 32 * (
        manifest.vocabulary["of"] - manifest.vocabulary["tokens"]
    )
    sizes = [(tmp_path / name / "onnx" / "model.onnx").stat().st_size for name in ("whole", "small")]
    assert sizes[1] < sizes[0] - UNUSED * 32 * 4
    assert any("tokens stay" in line for line in said)
    assert any(line.startswith("ONNX file: ") for line in said)
    before, after = load_engine(tmp_path / "whole", threads=1), load_engine(tmp_path / "small", threads=1)
    assert manifest.test_metric == pytest.approx(whole.test_metric, abs=0.1)
    np.testing.assert_allclose(after.predict(TEXTS), before.predict(TEXTS), atol=0.1)
    config = json.loads((tmp_path / "small" / "config.json").read_text())
    assert config["vocab_size"] == manifest.vocabulary["tokens"]
    model = load_pruned(tmp_path / "small")
    np.testing.assert_allclose(
        torch_logits(model, after.encode(TEXTS)),
        torch_logits(load_pruned(tmp_path / "whole"), before.encode(TEXTS)),
        atol=1e-5,
    )
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "small")
    assert tokenizer(TEXTS)["input_ids"] == [row["input_ids"] for row in after.encode(TEXTS)]


def test_what_cannot_be_exported_is_refused_before_anything_is_read(run: Path, tmp_path: Path) -> None:
    for options, message in (
        ({"precision": "int4"}, r"'int4'.*auto, fp16, fp32, int8, int8-static"),
        ({"embeddings": "int4"}, r"'int4'.*fp16, fp32, int8"),
    ):
        with pytest.raises(ConfigurationError, match=message):
            export(run, tmp_path / "engine", trial=0, **options)  # type: ignore[arg-type]
    assert not (tmp_path / "engine").exists()


def test_a_precision_that_the_profile_cannot_run_is_not_searched(inputs: Path, tmp_path: Path) -> None:
    for precisions, message in ((("fp32", "fp16"), "casts fp16"), (("fp32", "int4"), "int4")):
        with pytest.raises(ConfigurationError, match=message):
            search(settings_for(inputs, precisions=precisions), tmp_path / "run")
    assert not (tmp_path / "run").exists()
