"""Small checkpoints, made once: a fine-tuned one, and an encoder without a head."""

from __future__ import annotations

from pathlib import Path

import pytest
from transformers import BertConfig, BertForSequenceClassification, BertModel, set_seed

from compresskit.data.demo_text import build_demo_tokenizer

WORDS = ["the lid is good", "the motor is bad", "nobody likes the zipper"]


def small_config(rows: int, **changes: object) -> BertConfig:
    sizes: dict[str, object] = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2}
    sizes |= {"intermediate_size": 32, "max_position_embeddings": 32, "vocab_size": rows}
    return BertConfig(**{**sizes, **changes})


def save(model: object, folder: Path) -> Path:
    model.save_pretrained(folder)  # type: ignore[attr-defined]
    build_demo_tokenizer(WORDS).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def fine_tuned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    set_seed(0)
    names = {0: "bad", 1: "good"}
    config = small_config(
        len(build_demo_tokenizer(WORDS)), id2label=names, label2id={name: i for i, name in names.items()}
    )
    return save(BertForSequenceClassification(config), tmp_path_factory.mktemp("fine_tuned"))


@pytest.fixture(scope="session")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    set_seed(0)
    config = small_config(len(build_demo_tokenizer(WORDS)))
    return save(BertModel(config), tmp_path_factory.mktemp("encoder"))
