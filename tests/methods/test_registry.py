from __future__ import annotations

import pytest

from compresskit.errors import ConfigurationError
from compresskit.methods import names
from compresskit.methods.base import Method
from compresskit.methods.registry import METHODS, make_method


def test_every_name_makes_a_method() -> None:
    assert set(METHODS) == set(names.METHODS)
    assert all(isinstance(make_method(name), Method) for name in METHODS)


def test_another_name_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="'prune' is not known"):
        make_method("prune")
