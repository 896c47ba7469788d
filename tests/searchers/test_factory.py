from __future__ import annotations

import subprocess
import sys

import pytest

from compresskit.architecture import Dimensions
from compresskit.errors import SearchError
from compresskit.searchers import SEARCHERS, factory, make_objectives, make_searcher
from compresskit.spaces import make_space

SPACE = make_space("small", Dimensions(2, 2, 4, 8, 8))
OBJECTIVES = make_objectives(["metric", "latency_ms"])


def test_unknown_searchers_name_all() -> None:
    with pytest.raises(SearchError, match=r"ehvi.*mo-rea.*random"):
        make_searcher("grid", SPACE, OBJECTIVES, 0)


def test_names_are_the_searchers_own() -> None:
    assert [factory.searcher_class(name).name for name in SEARCHERS] == list(SEARCHERS)


def test_a_missing_library_is_the_users_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(factory.SEARCHERS, "other", "absent_module:Searcher")
    with pytest.raises(SearchError, match=r"compresskit\[search\]"):
        make_searcher("other", SPACE, OBJECTIVES, 0)


def test_random_search_loads_no_heavy_library() -> None:
    code = (
        "import sys\n"
        "from compresskit.searchers.factory import searcher_class\n"
        "searcher_class('random')\n"
        "print([m for m in ('torch', 'botorch', 'pymoo', 'syne_tune') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
