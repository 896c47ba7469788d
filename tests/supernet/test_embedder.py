from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoConfig, AutoModel

from compresskit.families import families
from compresskit.supernet.classes import class_for, class_of
from compresskit.supernet.embedder import SETTINGS, AutoEmbedder, pooled
from compresskit.supernet.surgery import blueprint_of
from tests.engine.models import make_model

HIDDEN = torch.tensor([[[3.0, 4.0], [1.0, 0.0], [9.0, 9.0]]])
MASK = torch.tensor([[1, 1, 0]])


@pytest.mark.parametrize(
    ("pooling", "wanted"),
    [("mean", [2.0, 2.0]), ("cls", [3.0, 4.0]), ("max", [3.0, 4.0]), ("lasttoken", [1.0, 0.0])],
)
def test_padding_takes_no_part(pooling: str, wanted: list[float]) -> None:
    assert pooled(HIDDEN, MASK, pooling, normalize=False).tolist() == [wanted]
    length = torch.linalg.vector_norm(pooled(HIDDEN, MASK, pooling, normalize=True), dim=-1)
    torch.testing.assert_close(length, torch.ones(1))


@pytest.mark.parametrize("model_type", [name for name, each in families().items() if not each.patches])
def test_every_family_makes_vectors_of_its_encoder(model_type: str, tmp_path: Path) -> None:
    config = make_model(model_type).config
    encoder = AutoModel.from_config(config).eval()
    encoder.save_pretrained(tmp_path / "encoder")
    config = AutoConfig.from_pretrained(tmp_path / "encoder")
    setattr(config, SETTINGS, {"pooling": "mean", "normalize": False})
    model = AutoEmbedder.from_pretrained(tmp_path / "encoder", config=config).eval()
    batch = {"input_ids": torch.randint(3, 50, (2, 7)), "attention_mask": torch.ones(2, 7, dtype=torch.int64)}
    with torch.no_grad():
        wanted, found = encoder(**batch).last_hidden_state, model(**batch)
    torch.testing.assert_close(found.last_hidden_state, wanted)
    torch.testing.assert_close(found.sentence_embedding, wanted.mean(1))
    assert blueprint_of(model).dims.num_layers == config.num_hidden_layers
    model.save_pretrained(tmp_path / "again")
    config = AutoConfig.from_pretrained(tmp_path / "again")
    again = class_of(config).from_pretrained(tmp_path / "again").eval()
    with torch.no_grad():
        torch.testing.assert_close(again(**batch).sentence_embedding, found.sentence_embedding)
    assert type(AutoModel.from_pretrained(tmp_path / "again")) is type(encoder)


def test_a_classifier_is_no_embedder() -> None:
    config: Any = make_model().config
    setattr(config, SETTINGS, {"pooling": "mean", "normalize": True})
    config.architectures = ["BertForSequenceClassification"]
    assert class_of(config).__name__ == "BertForSequenceClassification"
    assert class_for("feature-extraction") is AutoEmbedder
