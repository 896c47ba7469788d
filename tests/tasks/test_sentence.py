from __future__ import annotations

import json
from typing import Any

import pytest

from compresskit.errors import ConfigurationError
from compresskit.tasks.sentence import (
    MODEL,
    MODULES,
    POOLING,
    TRANSFORMER,
    Sentence,
    pooling_file,
    read_sentence,
)


def modules(*kinds: str, first: str = "") -> str:
    folders = [first, *(f"{place}_{kind}" for place, kind in enumerate(kinds) if place)]
    return json.dumps(
        [
            {"idx": place, "path": path, "type": f"sentence_transformers.models.{kind}"}
            for place, (kind, path) in enumerate(zip(kinds, folders, strict=True))
        ]
    )


def read(pooling: dict[str, Any], listed: str | None = None, **files: dict[str, Any]) -> Sentence:
    given = {MODULES: listed or modules("Transformer", "Pooling", "Normalize"), POOLING: json.dumps(pooling)}
    named = {"transformer": TRANSFORMER, "model": MODEL}
    found = read_sentence(given | {named[name]: json.dumps(value) for name, value in files.items()})
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("pooling", "mode"),
    [
        ({"pooling_mode_cls_token": False, "pooling_mode_mean_tokens": True}, "mean"),
        ({"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False}, "cls"),
        ({"pooling_mode": "max", "include_prompt": True}, "max"),
        ({"pooling_mode": ["mean", "max"]}, "mean+max"),
        ({"pooling_mode_lasttoken": True}, "lasttoken"),
        ({}, "mean"),
    ],
)
def test_both_forms_of_pooling_are_read(pooling: dict[str, Any], mode: str) -> None:
    assert read(pooling).pooling == mode


def test_prompts_and_lengths_are_kept() -> None:
    model = {"prompts": {"query": "query: ", "passage": ""}, "default_prompt_name": "query"}
    found = read({}, model=model, transformer={"max_seq_length": 256, "do_lower_case": False})
    assert (found.prompt, found.max_length, found.refusal) == ("query: ", 256, "")
    again = read_sentence({name: json.dumps(value) for name, value in found.files(384, 256).items()})
    assert again == found


def test_a_plain_encoder_says_nothing() -> None:
    assert read_sentence({POOLING: "{}"}) is None
    assert pooling_file(modules("Transformer", "Pooling")) == POOLING
    assert pooling_file("damaged") == POOLING


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        (read({}, modules("Transformer", "Pooling", "Dense", "Normalize")), "Transformer, Pooling, Dense"),
        (read({}, modules("Transformer", "Pooling", first="0_Transformer")), "in the folder itself"),
        (read({}, transformer={"do_lower_case": True}), "lowers the case"),
        (
            read(
                {"include_prompt": False},
                model={"prompts": {"query": "q: "}, "default_prompt_name": "query"},
            ),
            "include_prompt",
        ),
        (read({"pooling_mode": "weightedmean"}), "'weightedmean'.*cls, lasttoken, max, mean.*--pooling"),
        (read({}, "{"), "damaged"),
    ],
)
def test_what_cannot_be_computed_is_refused(found: Sentence, reason: str) -> None:
    with pytest.raises(ConfigurationError, match=reason):
        found.check()


def test_without_a_normalize_module_lengths_stay() -> None:
    found = read({}, modules("Transformer", "Pooling"))
    assert not found.normalize
    assert len(found.files(8, None)[MODULES]) == 2
