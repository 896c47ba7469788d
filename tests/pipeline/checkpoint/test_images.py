from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from transformers import Dinov2Config, Dinov2Model, ViTForImageClassification

from compresskit.errors import ConfigurationError, UnsupportedModelError
from compresskit.images.processor import FILE_NAME
from compresskit.inputs import IMAGES
from compresskit.pipeline.checkpoint.images import fit_positions
from compresskit.pipeline.training.models import load_dense, open_checkpoint
from compresskit.tasks.task import load_task
from tests.images.make import SETTINGS, SIDE, image_model, processor, save_checkpoint, write_folder


def with_settings(folder: Path, **settings: Any) -> Path:
    (folder / FILE_NAME).write_text(json.dumps({**SETTINGS, **settings}))
    return folder


def test_a_checkpoint_of_images_is_opened(tmp_path: Path) -> None:
    found = open_checkpoint(save_checkpoint(tmp_path))
    assert found.inputs is IMAGES and found.notes == ()
    assert found.label2id == {"blue": 0, "green": 1, "red": 2}
    assert (found.reader.height, found.reader.width) == (SIDE, SIDE)


def test_positions_of_another_size_are_interpolated_by_the_models_own_code(tmp_path: Path) -> None:
    folder = with_settings(save_checkpoint(tmp_path / "model"), size={"height": 2 * SIDE, "width": 2 * SIDE})
    checkpoint = open_checkpoint(folder)
    assert any("for images of 16 by 16, are interpolated for 32 by 32" in note for note in checkpoint.notes)
    task = load_task(
        write_folder(tmp_path / "data", 60),
        tokenizer=checkpoint.reader,
        inputs=checkpoint.inputs,
        label2id=checkpoint.label2id,
    )
    found = load_dense(checkpoint, task, seed=0).model.eval()
    wanted = ViTForImageClassification.from_pretrained(folder).eval()
    images = torch.randn(2, 3, 2 * SIDE, 2 * SIDE)
    with torch.no_grad():
        theirs = wanted(images, interpolate_pos_encoding=True).logits
        torch.testing.assert_close(found(images).logits, theirs, rtol=0, atol=1e-5)


def test_weights_that_no_task_reads_are_left_out(tmp_path: Path) -> None:
    """The token that stands for masked patches when DINOv2 is trained."""
    sizes = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "mlp_ratio": 1}
    config = Dinov2Config(**sizes, image_size=SIDE, patch_size=8)
    Dinov2Model(config).save_pretrained(tmp_path / "model")
    assert "embeddings.mask_token" in load_file(tmp_path / "model" / "model.safetensors")
    processor().save_pretrained(tmp_path / "model")
    checkpoint = open_checkpoint(tmp_path / "model")
    data = write_folder(tmp_path / "data", 60)
    task = load_task(data, tokenizer=checkpoint.reader, inputs=checkpoint.inputs)
    model = load_dense(checkpoint, task, seed=0).model
    assert not any("mask_token" in name for name, _ in model.named_parameters())


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"size": {"height": 20, "width": 20}}, "20 by 20, which patches of 8 do not fill"),
        ({"do_pad": True}, "do_pad is True"),
    ],
)
def test_processors_that_do_not_fit_are_refused(tmp_path: Path, settings: Any, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        open_checkpoint(with_settings(save_checkpoint(tmp_path), **settings))


def test_images_of_one_channel_are_refused(tmp_path: Path) -> None:
    save_checkpoint(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps({**config, "num_channels": 1}))
    with pytest.raises(UnsupportedModelError, match="images of 1 channels"):
        open_checkpoint(tmp_path)


def test_positions_of_the_same_size_stay() -> None:
    model: Any = image_model()
    before = model.vit.embeddings.position_embeddings
    fit_positions(model, SIDE)
    assert model.vit.embeddings.position_embeddings is before
