from __future__ import annotations

import pytest

from compresskit.errors import ConfigurationError
from compresskit.methods.names import LADDERS, METHODS, default_trials
from compresskit.pipeline.settings import SearchSettings


def settings(**changes: object) -> SearchSettings:
    return SearchSettings.from_json({"model": "m", "dataset": "d", "profile": "p", **changes})


def test_settings_know_the_trials_of_a_method() -> None:
    assert settings().trials == 60
    assert settings(method="fisher").trials == 8
    assert settings(method="fisher", trials=3).trials == 3
    assert settings(budget_seconds=60.0).trials is None


def test_what_a_method_cannot_do_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"'pruning' is not known; permitted: .*layer-drop.*nas"):
        settings(method="pruning")
    with pytest.raises(ConfigurationError, match="--trials, not --budget"):
        settings(method="fisher", budget_seconds=60.0)
    with pytest.raises(ConfigurationError, match="fp32 points, not fp32, int8"):
        settings(method="fisher", precisions=("fp32", "int8"))


@pytest.mark.parametrize("name", METHODS)
def test_methods_that_make_sizes_make_eight(name: str) -> None:
    assert default_trials(name) == (8 if name in LADDERS else 60)
