"""Tokenizer and model: ids, padding, segments, and whether an engine can carry the tokenizer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from transformers import AutoConfig, AutoTokenizer, LlamaConfig, PreTrainedTokenizerFast

from compresskit.errors import ConfigurationError
from compresskit.pipeline.checkpoint.tokenizer import check_segments, open_tokenizer
from tests.pipeline.checkpoint.make import copy_of

BERT = ("input_ids", "attention_mask", "token_type_ids")
ROBERTA = ("input_ids", "attention_mask")


def opened(folder: Path, inputs: tuple[str, ...] = BERT) -> Any:
    config = AutoConfig.from_pretrained(folder)
    return open_tokenizer(str(folder), config, inputs), config


def without_padding(source: Path, folder: Path, **config: Any) -> Path:
    copy_of(source, folder, config=config)
    tokenizer = PreTrainedTokenizerFast.from_pretrained(source)
    tokenizer.pad_token = None
    tokenizer.save_pretrained(folder)
    assert AutoTokenizer.from_pretrained(folder).pad_token_id is None
    return folder


def test_one_that_fits_has_no_notes(fine_tuned: Path) -> None:
    found, config = opened(fine_tuned)
    assert found.notes == ()
    assert found.pad_id == config.pad_token_id == found.tokenizer.pad_token_id


def test_memory_that_ran_out_is_no_fault_of_the_tokenizer(
    fine_tuned: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise MemoryError

    config = AutoConfig.from_pretrained(fine_tuned)
    monkeypatch.setattr(AutoTokenizer, "from_pretrained", full)
    with pytest.raises(MemoryError):
        open_tokenizer(str(fine_tuned), config, BERT)


class TestPadding:
    def test_the_models_own_id_where_the_tokenizer_names_none(self, fine_tuned: Path, tmp_path: Path) -> None:
        found, _ = opened(without_padding(fine_tuned, tmp_path, pad_token_id=2))
        assert found.pad_id == 2
        assert "names no padding token: padded with the model's own id 2" in found.notes[0]

    def test_the_end_token_of_a_decoder_that_names_none(self, fine_tuned: Path, tmp_path: Path) -> None:
        folder = without_padding(fine_tuned, tmp_path)
        tokenizer = PreTrainedTokenizerFast.from_pretrained(folder)
        tokenizer.eos_token = tokenizer.sep_token
        tokenizer.save_pretrained(folder)
        config = LlamaConfig(vocab_size=len(tokenizer), pad_token_id=None)
        found = open_tokenizer(str(folder), config, ROBERTA)
        assert found.pad_id == config.pad_token_id == found.tokenizer.pad_token_id == tokenizer.eos_token_id
        assert "padded with [SEP], which is masked" in found.notes[0]

    def test_the_tokenizers_where_the_model_names_none(self, fine_tuned: Path, tmp_path: Path) -> None:
        found, config = opened(copy_of(fine_tuned, tmp_path, config={"pad_token_id": None}))
        assert found.pad_id == config.pad_token_id == found.tokenizer.pad_token_id
        assert "names no padding id" in found.notes[0]

    def test_the_models_where_they_disagree(self, fine_tuned: Path, tmp_path: Path) -> None:
        found, _ = opened(copy_of(fine_tuned, tmp_path, config={"pad_token_id": 4}))
        assert found.pad_id == 4
        assert "padded with 4" in found.notes[0]

    def test_none_at_all(self, fine_tuned: Path, tmp_path: Path) -> None:
        with pytest.raises(ConfigurationError, match="neither the tokenizer nor .* names a padding token"):
            opened(without_padding(fine_tuned, tmp_path, pad_token_id=None))

    @pytest.mark.parametrize("pad_id", [-1, 5000])
    def test_an_id_that_is_no_row(self, fine_tuned: Path, tmp_path: Path, pad_id: int) -> None:
        with pytest.raises(
            ConfigurationError, match=f"pad_token_id of model .* is {pad_id}; permitted: 0 to"
        ):
            opened(copy_of(fine_tuned, tmp_path, config={"pad_token_id": pad_id}))


class TestVocabulary:
    def test_one_id_beyond_the_embeddings(self, fine_tuned: Path, tmp_path: Path) -> None:
        """As many tokens as rows, and yet one that has none."""
        path = copy_of(fine_tuned, tmp_path) / "tokenizer.json"
        value = json.loads(path.read_text())
        value["model"]["vocab"]["lid"] = 700
        path.write_text(json.dumps(value))
        with pytest.raises(ConfigurationError, match="'lid' has id 700, but the model has embeddings for"):
            opened(tmp_path)

    def test_tokens_that_were_added_to_the_tokenizer_alone(self, fine_tuned: Path, tmp_path: Path) -> None:
        copy_of(fine_tuned, tmp_path)
        tokenizer = AutoTokenizer.from_pretrained(fine_tuned)
        tokenizer.add_tokens(["<user>"])
        tokenizer.save_pretrained(tmp_path)
        with pytest.raises(ConfigurationError, match="'<user>' has id"):
            opened(tmp_path)

    @pytest.mark.parametrize("text", ["garbage", "", "[1]", "{}"])
    def test_a_damaged_file(self, fine_tuned: Path, tmp_path: Path, text: str) -> None:
        (copy_of(fine_tuned, tmp_path) / "tokenizer.json").write_text(text)
        with pytest.raises(ConfigurationError, match=r"no tokenizer that loads|no vocabulary"):
            opened(tmp_path)

    def test_one_without_a_fast_version(self, fine_tuned: Path, tmp_path: Path) -> None:
        copy_of(fine_tuned, tmp_path, without=("tokenizer.json",))
        (tmp_path / "vocab.txt").write_text("\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a"]))
        settings = {"tokenizer_class": "BertJapaneseTokenizer", "word_tokenizer_type": "basic"}
        settings |= {"subword_tokenizer_type": "character"}
        (tmp_path / "tokenizer_config.json").write_text(json.dumps(settings))
        with pytest.raises(ConfigurationError, match=r"\(BertJapaneseTokenizer\) has no fast version"):
            opened(tmp_path)


class TestSegments:
    """BERT's tokenizer gives segments 0 and 1 to a pair."""

    @pytest.mark.parametrize("texts", [1, 2])
    def test_two_of_two(self, fine_tuned: Path, texts: int) -> None:
        found, config = opened(fine_tuned)
        check_segments("m", config, BERT, found.tokenizer, texts)
        assert found.tokenizer("a", "b")["token_type_ids"][-1] == 1

    def test_left_out_where_neither_model_nor_graph_has_them(self, fine_tuned: Path, tmp_path: Path) -> None:
        found, config = opened(fine_tuned, ROBERTA)
        config.type_vocab_size = 1
        check_segments("m", config, ROBERTA, found.tokenizer, 2)
        assert set(found.tokenizer("a", "b")) == {"input_ids", "attention_mask"}
        assert "gives token_type_ids, which the model's graph has not: left out" in found.notes[0]
        found.tokenizer.save_pretrained(tmp_path)  # and so they are for who loads the engine
        assert "token_type_ids" not in AutoTokenizer.from_pretrained(tmp_path)("a", "b")

    def test_more_than_the_model_has(self, fine_tuned: Path) -> None:
        found, config = opened(fine_tuned)
        config.type_vocab_size = 1
        check_segments("m", config, BERT, found.tokenizer, 1)
        with pytest.raises(
            ConfigurationError, match=r"segments \(token_type_ids\) 0 to 1, but the model has 1"
        ):
            check_segments("m", config, BERT, found.tokenizer, 2)

    def test_in_the_model_but_not_in_its_graph(self, fine_tuned: Path) -> None:
        found, config = opened(fine_tuned, ROBERTA)
        check_segments("m", config, ROBERTA, found.tokenizer, 1)
        with pytest.raises(ConfigurationError, match=r"by segments \(token_type_ids\), which the graph"):
            check_segments("m", config, ROBERTA, found.tokenizer, 2)

    @pytest.mark.parametrize("inputs", [BERT, ROBERTA])
    def test_a_saved_tokenizer_says_what_it_gives(
        self, fine_tuned: Path, tmp_path: Path, inputs: tuple[str, ...]
    ) -> None:
        opened(fine_tuned, inputs)[0].tokenizer.save_pretrained(tmp_path)
        told = json.loads((tmp_path / "tokenizer_config.json").read_text())["model_input_names"]
        assert set(told) == set(inputs)

    def test_none_of_a_tokenizer_that_names_none(self, fine_tuned: Path) -> None:
        """As transformers, and so training, takes them: all 0."""
        found, config = opened(fine_tuned)
        found.tokenizer.model_input_names = list(ROBERTA)
        check_segments("m", config, BERT, found.tokenizer, 2)
