"""config.json: damaged, of another version, or of a model that is not computed here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from compresskit.errors import ConfigurationError, UnsupportedModelError
from compresskit.pipeline.checkpoint.configuration import read_configuration
from tests.pipeline.checkpoint.make import copy_of


def read(source: Path, folder: Path, **changes: Any) -> Any:
    return read_configuration(str(copy_of(source, folder, config=changes)))


def test_a_plain_one_has_no_notes(fine_tuned: Path) -> None:
    found = read_configuration(str(fine_tuned))
    assert found.notes == ()
    assert found.inputs == ("input_ids", "attention_mask", "token_type_ids")


@pytest.mark.parametrize("text", ["{nope", "", "[1]", "3"])
def test_no_json_object(fine_tuned: Path, tmp_path: Path, text: str) -> None:
    copy_of(fine_tuned, tmp_path)
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(ConfigurationError, match=r"config\.json of model .* cannot be used"):
        read_configuration(str(tmp_path))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model_type": ...}, "names no model_type"),
        ({"vocab_size": "100"}, "vocab_size.*expected int"),
        ({"hidden_size": None}, "hidden_size.*expected int"),
        ({"num_attention_heads": 5}, "not a multiple of the number of attention heads"),
        ({"num_hidden_layers": 0}, "a size is 0; permitted: 1 or more"),
        ({"hidden_act": "snake"}, "'snake' is not known"),
        ({"dtype": "float12"}, "float12"),
        ({"id2label": {"a": "x"}}, "cannot be used"),
        ({"hidden_dropout_prob": 3.0}, "probability"),
    ],
)
def test_values_that_make_no_model(
    fine_tuned: Path, tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigurationError, match=message):
        read(fine_tuned, tmp_path, **changes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"position_embedding_type": "relative_key"}, "relative positions.*transformers 5"),
        ({"position_embedding_type": "relative_key_query"}, "relative_key_query"),
        ({"pruned_heads": {"0": [1]}}, "heads that transformers 4 pruned"),
        ({"quantization_config": {"quant_method": "gptq"}}, r"quantized \(gptq\)"),
        ({"is_decoder": True}, "is a decoder"),
        ({"rope_scaling": {"type": "dynamic", "factor": 2.0}}, "rope_type 'dynamic'.*one graph cannot hold"),
        ({"rope_parameters": {"full_attention": {"rope_type": "longrope"}}}, "rope_type 'longrope'"),
    ],
)
def test_models_that_are_not_computed(
    fine_tuned: Path, tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(UnsupportedModelError, match=message):
        read(fine_tuned, tmp_path, **changes)


def test_keys_that_mean_nothing_are_not_told(fine_tuned: Path, tmp_path: Path) -> None:
    found = read(
        fine_tuned,
        tmp_path,
        position_embedding_type="absolute",
        pruned_heads={},
        gradient_checkpointing=False,
        pooler_fc_size=768,
        torch_dtype="float32",
        max_length=20,
        _name_or_path="somewhere",
    )
    assert found.notes == ()


def test_older_names_that_are_still_read_are_not_told(tmp_path: Path) -> None:
    """As on the hub: transformers makes `layer_types` and `rope_parameters` of these."""
    sizes = {"vocab_size": 60, "hidden_size": 16, "num_hidden_layers": 4, "num_attention_heads": 2}
    special = dict.fromkeys((f"{name}_token_id" for name in ("pad", "bos", "eos", "cls", "sep")), 1)
    older = {"global_attn_every_n_layers": 2, "global_rope_theta": 160000.0, "local_rope_theta": 10000.0}
    raw = {"model_type": "modernbert", "intermediate_size": 24, **sizes, **special, **older}
    (tmp_path / "config.json").write_text(json.dumps(raw))
    assert read_configuration(str(tmp_path)).notes == ()
    (tmp_path / "config.json").write_text(json.dumps({**raw, "global_rope_scale": 2.0}))
    (note,) = read_configuration(str(tmp_path)).notes
    assert note.startswith("config.json sets global_rope_scale, which transformers")


def test_keys_that_are_not_known_are_told(fine_tuned: Path, tmp_path: Path) -> None:
    found = read(fine_tuned, tmp_path, rope_theta=10000.0, auto_map={"AutoModel": "own.Model"}, norm="rms")
    assert "code of its own (auto_map), which is not run" in found.notes[0]
    assert "config.json sets norm, rope_theta, which transformers" in found.notes[1]


def test_what_shapes_the_output_alone_is_set_aside(fine_tuned: Path, tmp_path: Path) -> None:
    config = read(
        fine_tuned,
        tmp_path,
        return_dict=False,
        output_hidden_states=True,
        output_attentions=True,
        chunk_size_feed_forward=3,
    ).config
    assert config.return_dict and not config.output_hidden_states and not config.output_attentions
    assert config.chunk_size_feed_forward == 0
