from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tokenizers import Tokenizer, models, pre_tokenizers, trainers
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from compresskit.engine.vocabulary import TrimmedTokenizer, trim
from compresskit.errors import EngineError
from tests.engine.tokenizer_kinds import CORPUS, KINDS, wordpiece

USED = [("the soup was good",), ("nobody came to the beautiful view",)]
OTHER = "waited for fresh bread 7"


@pytest.fixture(params=KINDS)
def tokenizer(request: pytest.FixtureRequest) -> Tokenizer:
    return KINDS[request.param]()


def test_texts_of_the_corpus_are_encoded_as_before_under_new_ids(tokenizer: Tokenizer) -> None:
    trimmed = trim(tokenizer.to_str(), USED, pad_id=0)
    assert trimmed.total == tokenizer.get_vocab_size()
    assert len(trimmed.kept) < trimmed.total
    new = Tokenizer.from_str(trimmed.tokenizer)
    assert new.get_vocab_size() == len(trimmed.kept)
    for (text,) in USED:
        before, after = tokenizer.encode(text), new.encode(text)
        assert after.tokens == before.tokens
        assert [trimmed.kept[i] for i in after.ids] == before.ids
    rows = [{"input_ids": tokenizer.encode(text).ids, "token_type_ids": [0]} for (text,) in USED]
    found = trimmed.renumber(rows)
    assert [row["input_ids"] for row in found] == [new.encode(text).ids for (text,) in USED]
    assert found[0]["token_type_ids"] == [0]


def test_every_token_keeps_its_place_and_its_name(tokenizer: Tokenizer) -> None:
    trimmed = trim(tokenizer.to_str(), USED, pad_id=0)
    new = Tokenizer.from_str(trimmed.tokenizer)
    assert list(trimmed.kept) == sorted(trimmed.kept)
    for number, old in enumerate(trimmed.kept):
        assert new.id_to_token(number) == tokenizer.id_to_token(int(old))


def test_other_texts_fall_into_pieces_of_what_is_left(tokenizer: Tokenizer) -> None:
    trimmed = trim(tokenizer.to_str(), USED, pad_id=0)
    new = Tokenizer.from_str(trimmed.tokenizer)
    before, after = tokenizer.encode(OTHER), new.encode(OTHER)
    assert len(after.ids) >= len(before.ids)
    assert max(after.ids) < len(trimmed.kept)
    if not isinstance(tokenizer.model, models.WordLevel):
        unknown = {"[UNK]", "<unk>"}
        assert sum(t in unknown for t in after.tokens) <= sum(t in unknown for t in before.tokens)


def test_ids_up_to_the_padding_stay(tokenizer: Tokenizer) -> None:
    assert list(trim(tokenizer.to_str(), USED, pad_id=9).kept[:10]) == list(range(10))


def test_names_of_special_tokens_in_texts_are_kept_as_texts_too() -> None:
    source = wordpiece()
    source.encode_special_tokens = True
    text = "the [SEP] soup"
    before = source.encode(text, add_special_tokens=False)
    assert "[SEP]" not in before.tokens
    trimmed = trim(source.to_str(), [(text,)], pad_id=0, split_special_tokens=True)
    assert [trimmed.kept[trimmed.new_ids[i]] for i in before.ids] == before.ids


def test_transformers_loads_what_was_saved(tokenizer: Tokenizer, tmp_path: Path) -> None:
    pad = "[PAD]" if tokenizer.token_to_id("[PAD]") is not None else "<pad>"
    original = PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token=pad)
    trimmed = trim(tokenizer.to_str(), USED, pad_id=0)
    TrimmedTokenizer(original, trimmed).save_pretrained(tmp_path)
    loaded = AutoTokenizer.from_pretrained(tmp_path)
    new = Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    assert loaded.pad_token == pad
    assert len(loaded) == len(trimmed.kept)
    for (text,) in USED:
        assert loaded(text)["input_ids"] == new.encode(text).ids


def test_a_real_class_of_transformers_is_loaded_too(tmp_path: Path) -> None:
    from transformers import BertTokenizerFast

    (tmp_path / "old").mkdir()
    source = wordpiece()
    vocabulary = sorted(source.get_vocab(), key=source.get_vocab().__getitem__)
    original = BertTokenizerFast(vocab={token: i for i, token in enumerate(vocabulary)})
    trimmed = trim(original.backend_tokenizer.to_str(), USED, pad_id=0)
    TrimmedTokenizer(original, trimmed).save_pretrained(tmp_path)
    loaded = AutoTokenizer.from_pretrained(tmp_path)
    for (text,) in USED:
        ids = [trimmed.new_ids[i] for i in original(text)["input_ids"]]
        assert loaded(text)["input_ids"] == ids


def test_a_kind_that_cannot_be_cut_is_refused() -> None:
    value: dict[str, Any] = json.loads(wordpiece().to_str())
    value["model"]["type"] = "Other"
    with pytest.raises(EngineError, match=r"'Other' cannot be cut.*--trim-vocabulary"):
        trim(json.dumps(value), USED, pad_id=0)


def test_bpe_with_suffixes_is_refused() -> None:
    tokenizer = Tokenizer(models.BPE(end_of_word_suffix="</w>"))
    trainer = trainers.BpeTrainer(vocab_size=60, end_of_word_suffix="</w>", show_progress=False)
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.train_from_iterator(CORPUS, trainer)
    with pytest.raises(EngineError, match="suffixes"):
        trim(tokenizer.to_str(), USED, pad_id=0)
