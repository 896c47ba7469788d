"""Settings of a kind that no option gives, as a configuration file may hold them."""

from __future__ import annotations

import pytest

from compresskit.errors import ConfigurationError
from compresskit.pipeline.settings import SearchSettings

LEAST = {"model": "m", "dataset": "d", "profile": "p"}


@pytest.mark.parametrize(
    ("option", "value", "permitted"),
    [
        ("trials", "8", "a whole number"),
        ("trials", 8.5, "a whole number"),
        ("batch_size", True, "a whole number"),
        ("learning_rate", "fast", "a number"),
        ("shrinking", 1, "true or false"),
        ("model", 5, "a text"),
        ("block_counts", "2,4", "a list of whole numbers"),
        ("block_counts", [2, "4"], "a list of whole numbers"),
        ("text_columns", "review", "a list of texts"),
        ("batch_size", None, "a whole number"),
    ],
)
def test_another_kind_is_refused_by_name(option: str, value: object, permitted: str) -> None:
    with pytest.raises(ConfigurationError, match=f"{option} is .*permitted: {permitted}"):
        SearchSettings.from_json({**LEAST, option: value})


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
