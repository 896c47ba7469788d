from __future__ import annotations

from typing import Any

import pytest
from transformers import BertConfig, LlamaConfig, Qwen3Config

from compresskit.errors import UnsupportedModelError
from compresskit.supernet.surgery import blueprint_of_config
from tests.families.test_bert import SIZES

DECODER: dict[str, Any] = {**SIZES, "head_dim": 8}


@pytest.mark.parametrize("task", ["question-answering", "multiple-choice"])
@pytest.mark.parametrize("config", [LlamaConfig(**DECODER), Qwen3Config(**DECODER)], ids=["llama", "qwen3"])
def test_tasks_for_which_transformers_has_no_such_model_are_refused(config: Any, task: str) -> None:
    """Of a decoder that answers questions the layers have other names."""
    with pytest.raises(UnsupportedModelError, match=f"of type {config.model_type} cannot be compressed"):
        blueprint_of_config(config, task)


@pytest.mark.parametrize("task", ["question-answering", "multiple-choice", "feature-extraction"])
def test_a_blueprint_needs_no_weights(task: str) -> None:
    found = blueprint_of_config(BertConfig(**SIZES), task)
    assert found.dims.num_layers == SIZES["num_hidden_layers"]
