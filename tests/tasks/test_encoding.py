from __future__ import annotations

import pytest
from transformers import BertConfig, DistilBertConfig, RobertaConfig

from compresskit.errors import ConfigurationError
from compresskit.tasks.encoding import check_length, encode, position_limit
from tests.tasks.make import tokenizer


def test_rows_are_unpadded_and_long_ones_cut() -> None:
    found = encode([("w1",), ("w1 w2 w3 w4 w5",), ("w1 w2",)], tokenizer(), max_length=5)
    assert [len(row["input_ids"]) for row in found.rows] == [3, 5, 4]
    assert found.num_cut == 1
    assert set(found.rows[0]) == {"input_ids", "token_type_ids"}
    assert found.rows[1]["input_ids"][-1] == tokenizer().sep_token_id


def test_pairs_have_two_segments_and_the_longer_text_is_cut_first() -> None:
    found = encode([("w1", "w2 w3"), ("w1", "w2 w3 w4 w5 w6")], tokenizer(), max_length=6)
    assert found.rows[0]["token_type_ids"] == [0, 0, 0, 1, 1, 1]
    assert found.rows[1]["input_ids"] == found.rows[0]["input_ids"]
    assert found.num_cut == 1


def test_a_tokenizer_that_pads_and_cuts_by_itself_is_overruled() -> None:
    tokens = tokenizer()
    tokens.backend_tokenizer.enable_padding(length=12)
    tokens.backend_tokenizer.enable_truncation(3)
    assert [len(row["input_ids"]) for row in encode([("w1 w2 w3",), ("w1",)], tokens, 10).rows] == [5, 3]


def test_no_rows() -> None:
    assert encode([], tokenizer(), 8).rows == []


def test_position_limits() -> None:
    assert position_limit(BertConfig(max_position_embeddings=128).to_dict()) == 128
    assert position_limit(DistilBertConfig(max_position_embeddings=64).to_dict()) == 64
    assert position_limit(RobertaConfig(max_position_embeddings=514, pad_token_id=1).to_dict()) == 512


def test_a_length_that_does_not_fit_the_model() -> None:
    tokens = tokenizer()
    check_length(128, tokens, 1, 128)
    with pytest.raises(
        ConfigurationError, match="max length 129 does not fit this model; permitted: 3 to 128"
    ):
        check_length(129, tokens, 1, 128)
    with pytest.raises(ConfigurationError, match="permitted: 5 or more"):
        check_length(4, tokens, 2, None)
    tokens.model_max_length = 64
    with pytest.raises(ConfigurationError, match="permitted: 3 to 64"):
        check_length(65, tokens, 1, None)
