"""An engine encodes texts as its training did: for every kind of tokenizer, from the files alone."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from tokenizers import Tokenizer
from transformers import AutoTokenizer

from compresskit.bundle.encoding import (
    gives_segments,
    load_tokenizer,
    padding_id,
    tokenizer_settings,
)
from compresskit.engine.readers import save_tokenizer
from compresskit.errors import DataError, EngineError
from compresskit.tasks.encoding import encode, encode_texts
from tests.engine.tokenizer_kinds import CHECKPOINTS, CORPUS, bert

LENGTH = 12
LONG = " ".join(CORPUS)
TEXTS = [
    *CORPUS[:4],
    "",
    "\n",
    " \t ",
    "The SOUP, the Böwl & the café!",
    "soup bowl tables [SEP] [ROOM] <mask> </s>",
    " leading and trailing ",
    LONG,
    LONG * 5,
]
PAIRS = [
    *pairwise(CORPUS[:5]),
    ("", ""),
    ("", LONG),
    (LONG, ""),
    (LONG, "the soup"),
    ("the soup", LONG),
    (LONG, LONG[7:]),
]


@pytest.fixture(scope="module", params=CHECKPOINTS)
def checkpoint(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The tokenizer as training loads it from a checkpoint."""
    folder = tmp_path_factory.mktemp("checkpoint")
    CHECKPOINTS[request.param]().save_pretrained(folder)
    return AutoTokenizer.from_pretrained(folder)


@pytest.mark.parametrize("texts", [[(text,) for text in TEXTS], PAIRS], ids=["texts", "pairs"])
@pytest.mark.parametrize("length", [LENGTH, 13, 400])
def test_engine_encodes_as_training_did(
    checkpoint: Any, texts: list[tuple[str, ...]], length: int, tmp_path: Path
) -> None:
    wanted = encode(texts, checkpoint, length).rows
    save_tokenizer(checkpoint, tmp_path, length)
    settings = tokenizer_settings(tmp_path)
    tokenizer = load_tokenizer(tmp_path, length)
    found = encode_texts(
        tokenizer,
        [row if len(row) > 1 else row[0] for row in texts],
        segments=gives_segments(settings),
    )
    assert [dict(row) for row in found] == wanted
    assert max(len(row["input_ids"]) for row in wanted) == length or length == 400
    assert padding_id(tokenizer, settings, {}) == checkpoint.pad_token_id
    # Whoever loads the folder by other means gets the same.
    again = AutoTokenizer.from_pretrained(tmp_path)
    columns = [list(column) for column in zip(*texts, strict=True)]
    batch = again(*columns, truncation=True)
    names = [name for name in batch if name != "attention_mask"]
    assert names == list(wanted[0])
    assert all(batch[name] == [row[name] for row in wanted] for name in names)


@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        ("BERT", {"do_lower_case": False}),
        ("BERT", {"strip_accents": False}),
        ("BERT", {"truncation_side": "left", "padding_side": "left"}),
        ("BERT", {"model_input_names": ["input_ids"]}),
        ("BERT", {"split_special_tokens": True}),
        ("BERT", {"tokenizer_class": "PreTrainedTokenizerFast"}),
        ("RoBERTa", {"add_prefix_space": True}),
        ("RoBERTa, prefix space", {"add_prefix_space": False}),
        ("WordLevel", {"add_bos_token": True, "bos_token": "[CLS]"}),
        ("XLM-RoBERTa", {"truncation_side": "left"}),
    ],
)
def test_settings_that_a_checkpoint_was_given_by_hand_reach_the_engine(
    kind: str, settings: dict[str, Any], tmp_path: Path
) -> None:
    CHECKPOINTS[kind]().save_pretrained(tmp_path / "checkpoint")
    path = tmp_path / "checkpoint" / "tokenizer_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **settings}))
    trained = AutoTokenizer.from_pretrained(tmp_path / "checkpoint")
    save_tokenizer(trained, tmp_path / "engine", LENGTH)
    tokenizer = load_tokenizer(tmp_path / "engine", LENGTH)
    segments = gives_segments(tokenizer_settings(tmp_path / "engine"))
    wanted = encode([(text,) for text in TEXTS], trained, LENGTH).rows
    assert encode_texts(tokenizer, TEXTS, segments=segments) == wanted
    assert encode_texts(tokenizer, PAIRS, segments=segments) == encode(PAIRS, trained, LENGTH).rows


def test_tokenizer_json_alone_cuts_and_does_not_pad(checkpoint: Any, tmp_path: Path) -> None:
    save_tokenizer(checkpoint, tmp_path, LENGTH)
    bare = Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    bare.encode_special_tokens = checkpoint.split_special_tokens
    wanted = encode([(text,) for text in TEXTS], checkpoint, LENGTH).rows
    assert [item.ids for item in bare.encode_batch(TEXTS)] == [row["input_ids"] for row in wanted]


def test_settings_say_what_was_trained(tmp_path: Path) -> None:
    tokenizer = bert(truncation_side="left", padding_side="left")
    assert tokenizer.model_max_length > 1e20
    save_tokenizer(tokenizer, tmp_path, 24)
    settings = json.loads((tmp_path / "tokenizer_config.json").read_text())
    assert settings["model_max_length"] == 24
    assert (settings["truncation_side"], settings["padding_side"]) == ("left", "right")
    assert "token_type_ids" in settings["model_input_names"]


def test_an_engine_of_before_is_read_by_the_settings_of_its_checkpoint(tmp_path: Path) -> None:
    tokenizer = bert(truncation_side="left")
    tokenizer.save_pretrained(tmp_path)
    wanted = encode([(LONG,)], tokenizer, LENGTH).rows
    assert encode_texts(load_tokenizer(tmp_path, LENGTH), [LONG], segments=True) == wanted
    (tmp_path / "tokenizer_config.json").unlink()
    assert gives_segments(tokenizer_settings(tmp_path))
    assert len(encode_texts(load_tokenizer(tmp_path, None), [LONG], segments=True)[0]["input_ids"]) > 100


@pytest.mark.parametrize("texts", [["the soup", 3], [("a", "b", "c")], [("a", None)], [None]])
def test_what_is_no_text_is_named(texts: Any, tmp_path: Path) -> None:
    save_tokenizer(bert(), tmp_path, LENGTH)
    with pytest.raises(DataError, match=rf"texts\[{len(texts) - 1}\] is .*permitted: a text, or a"):
        encode_texts(load_tokenizer(tmp_path, LENGTH), texts, segments=True)


def test_a_row_of_one_text_is_that_text(tmp_path: Path) -> None:
    save_tokenizer(bert(), tmp_path, LENGTH)
    tokenizer = load_tokenizer(tmp_path, LENGTH)
    assert encode_texts(tokenizer, [("a",)], segments=True) == encode_texts(tokenizer, ["a"], segments=True)


@pytest.mark.parametrize("text", ["", "[]", "{"])
def test_damaged_settings_are_said(text: str, tmp_path: Path) -> None:
    save_tokenizer(bert(), tmp_path, LENGTH)
    (tmp_path / "tokenizer_config.json").write_text(text)
    with pytest.raises(EngineError, match=r"tokenizer_config\.json"):
        load_tokenizer(tmp_path, LENGTH)
