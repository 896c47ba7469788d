"""A search so small that a test can run it whole: data, model, profile and settings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from transformers import BertConfig, BertModel, set_seed

from compresskit.data.demo_text import build_demo_tokenizer, read_demo_texts, write_demo_data
from compresskit.pipeline.settings import SearchSettings

PROFILE = """\
description = "one thread, looked at briefly"
threads = 1
length = 16
min_runs = 20
max_runs = 60
max_seconds = 0.3
interval_precision = 0.5
"""


def make_inputs(folder: Path, rows: int = 300) -> None:
    """`model`, `data` and `profile.toml` in `folder`."""
    write_demo_data(folder / "data", seed=0, rows=rows)
    make_model(folder, build_demo_tokenizer(read_demo_texts(folder / "data")), layers=3)


def make_model(folder: Path, tokenizer: Any, layers: int) -> None:
    """`model`, a headless BERT drawn at random, and `profile.toml` in `folder`."""
    set_seed(0)
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        num_hidden_layers=layers,
        num_attention_heads=4,
        intermediate_size=64,
        max_position_embeddings=64,
        pad_token_id=tokenizer.pad_token_id,
    )
    BertModel(config).save_pretrained(folder / "model")
    tokenizer.save_pretrained(folder / "model")
    (folder / "profile.toml").write_text(PROFILE)


def settings_for(folder: Path, **changes: object) -> SearchSettings:
    base: dict[str, object] = {
        "model": str(folder / "model"),
        "dataset": str(folder / "data"),
        "profile": str(folder / "profile.toml"),
        "epochs": 1.0,
        "learning_rate": 1e-3,
        "batch_size": 16,
        "max_length": 16,
        "unit_multiple": 8,
        "trials": 6,
    }
    if changes.get("method", "nas") == "nas":
        base |= {"searcher": "random", "parts": 4 if "strategy" not in changes else 1}
    return SearchSettings.from_json({**base, **changes})
