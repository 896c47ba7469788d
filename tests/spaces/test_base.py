from __future__ import annotations

import subprocess
import sys

import pytest

from compresskit.architecture import Dimensions
from compresskit.errors import ConfigurationError
from compresskit.spaces import Parameter, make_space


def test_parameter_membership() -> None:
    parameter = Parameter("units", 8, 32, 8)
    assert [n for n in range(40) if n in parameter] == [8, 16, 24, 32]
    assert parameter.count == 4
    assert True not in Parameter("bit", 0, 1)
    assert 0.0 not in Parameter("bit", 0, 1)


def test_unknown_space_names_all() -> None:
    with pytest.raises(ConfigurationError, match="large, layer, medium, ranked, small"):
        make_space("huge", Dimensions(1, 1, 1, 1, 1))


def test_a_parameter_of_one_value_is_a_constant() -> None:
    space = make_space("small", Dimensions(2, 1, 4, 8, 4))
    assert space.config_space()["heads"] == 1


def test_spaces_need_no_search_library() -> None:
    code = "import sys, compresskit.spaces; print([m for m in ('torch', 'syne_tune') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
