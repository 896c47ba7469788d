"""Settings of a kind that no option gives, as a configuration file may hold them."""

from __future__ import annotations

import pytest

from compresskit.errors import ConfigurationError
from compresskit.pipeline.settings import SearchSettings
from compresskit.target.profile import Profile

LEAST = {"model": "m", "dataset": "d", "profile": "p"}


@pytest.mark.parametrize(
    ("option", "value", "permitted"),
    [
        ("trials", "8", "a whole number"),
        ("trials", 8.5, "a whole number"),
        ("batch_size", True, "a whole number"),
        ("learning_rate", "fast", "a number"),
        ("distil", 1, "true or false"),
        ("model", 5, "a text"),
        ("block_counts", [2, "4"], "a list of whole numbers"),
        ("text_column", [1], "a list of texts"),
        ("batch_size", None, "a whole number"),
    ],
)
def test_another_kind_is_refused_by_name(option: str, value: object, permitted: str) -> None:
    with pytest.raises(ConfigurationError, match=f"{option} is .*permitted: {permitted}"):
        SearchSettings.from_json({**LEAST, option: value})


@pytest.mark.parametrize(
    ("method", "option", "value"),
    [
        ("fisher", "strategy", "sandwich"),
        ("fisher", "space", "small"),
        ("student", "searcher", "random"),
        ("standard-nas", "proposals", 8),
        ("fisher", "parts", 2),
        ("nas", "start_run", "runs/other"),
    ],
)
def test_what_a_method_would_ignore_is_refused(method: str, option: str, value: object) -> None:
    settings = SearchSettings.from_json({**LEAST, "method": method, option: value})
    with pytest.raises(ConfigurationError, match=f"{option} is .*method {method} does not use it"):
        settings.check_used()


def test_parts_are_of_a_strategy_with_a_teacher() -> None:
    with pytest.raises(ConfigurationError, match="parts is 4, but only strategy teacher .*in place of full"):
        SearchSettings.from_json({**LEAST, "strategy": "full", "parts": 4})
    assert SearchSettings.from_json({**LEAST, "strategy": "full", "parts": 1}).parts == 1


@pytest.mark.parametrize(
    ("provider", "asked", "method", "searched"),
    [
        ("cpu", (), "nas", ("fp16",)),
        ("cuda", (), "nas", ("fp16",)),
        ("cuda", ("fp32", "int8"), "nas", ("fp32", "int8")),
        ("cuda", (), "student", ("fp32",)),
        ("tensorrt", (), "nas", ("fp32",)),  # it computes an fp32 graph in fp16
    ],
)
def test_precisions_are_those_asked_or_the_profiles(
    provider: str, asked: tuple[str, ...], method: str, searched: tuple[str, ...]
) -> None:
    settings = SearchSettings("m", "d", "p", method=method, precisions=asked)
    assert settings.precisions_on(Profile("p", provider=provider, precision="fp16")) == searched


def test_settings_survive_json() -> None:
    asked = SearchSettings.from_json(
        {
            **LEAST,
            "epochs": 2,
            "trials": None,
            "budget_seconds": 60,
            "block_counts": [2],
            "text_columns": ["a"],
        }
    )
    assert SearchSettings.from_json(asked.to_json()) == asked


def test_a_dense_model_does_not_learn_its_rows_by_heart() -> None:
    settings = SearchSettings(model="m", dataset="d", profile="p")
    assert settings.epochs_for(2_568) == 8 and settings.dense_epochs_for(2_568) == 4
    assert settings.dense_epochs_for(200) == 8  # 4 would be too few steps
    assert settings.dense_epochs_for(60_000) == settings.epochs_for(60_000) < 4
    few = SearchSettings(model="m", dataset="d", profile="p", epochs=1.0)
    assert few.dense_epochs_for(2_568) == 1
