"""A decoder with grouped queries goes the whole way: search, export, engine, PyTorch model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import Qwen3Config, Qwen3ForCausalLM, set_seed

from compresskit import load_engine, load_pruned
from compresskit.data.demo_text import build_demo_tokenizer, read_demo_texts, write_demo_data
from compresskit.pipeline.export import export
from compresskit.pipeline.search import search
from tests.pipeline.make import PROFILE, settings_for
from tests.pipeline.quick import quickened


@pytest.mark.slow
def test_search_and_export(tmp_path: Path) -> None:
    write_demo_data(tmp_path / "data", seed=0, rows=300)
    tokenizer = build_demo_tokenizer(read_demo_texts(tmp_path / "data"))
    set_seed(0)
    config = Qwen3Config(
        vocab_size=len(tokenizer),
        hidden_size=32,
        num_hidden_layers=3,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=8,
        intermediate_size=64,
        max_position_embeddings=64,
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=None,
        eos_token_id=None,
    )
    Qwen3ForCausalLM(config).save_pretrained(tmp_path / "model")
    tokenizer.save_pretrained(tmp_path / "model")
    (tmp_path / "profile.toml").write_text(PROFILE)
    with quickened():
        front = search(settings_for(tmp_path, trials=4), tmp_path / "run")
        manifest = export(run=tmp_path / "run", output=tmp_path / "engine", pareto_idx=0)
        for precision in ("int8", "fp16"):
            export(
                run=tmp_path / "run",
                output=tmp_path / precision,
                pareto_idx=0,
                precision=precision,
                portable=False,
            )
    assert front.points
    assert manifest.test_metric is not None
    texts = ["a fine and warm film", "dull", "it was not good at all and far too long"]
    answers = load_engine(tmp_path / "engine").predict(texts)
    batch = tokenizer(texts, padding=True, return_tensors="pt")
    pruned = load_pruned(tmp_path / "engine")
    with torch.no_grad():
        logits = pruned(batch["input_ids"], batch["attention_mask"]).logits
    np.testing.assert_allclose(answers, logits.numpy(), rtol=0, atol=1e-4)
    for precision, atol in (("int8", 0.2), ("fp16", 0.01)):
        found = load_engine(tmp_path / precision).predict(texts)
        np.testing.assert_allclose(found, answers, rtol=0, atol=atol)
