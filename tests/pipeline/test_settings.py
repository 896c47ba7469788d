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
