"""The documented calls, each in a fresh interpreter, however modules are imported before."""

from __future__ import annotations

import pytest

import compresskit
from compresskit.cli.app import EXTRAS
from tests.test_imports import python

FUNCTIONS = ("bench", "export", "load_engine", "load_pruned", "preview", "search")
MODULES = (
    "compresskit.api.search",
    "compresskit.api.export",
    "compresskit.api.bench",
    "compresskit.bundle.loader",
    "compresskit.pipeline.search",
    "compresskit.searchers",
    "compresskit.options.search",
    "compresskit.cli.search",
)


def test_each_is_a_function_first_and_last() -> None:
    """Submodules first, functions first, one after the other, and as attributes of the package.

    Each order in a child of an interpreter that has loaded other packages, and nothing of this one.
    """
    imports = "\n".join(f"import {module}" for module in MODULES)
    calls = f"from compresskit import {', '.join(FUNCTIONS)}"
    check = (
        "import compresskit, types\n"
        f"for name in {FUNCTIONS!r}:\n"
        "    assert isinstance(getattr(compresskit, name), types.FunctionType), name\n"
        "    assert isinstance(globals()[name], types.FunctionType), name\n"
    )
    sources = [f"{order}\n{check}" for order in (f"{calls}\n{imports}\n{calls}", f"{imports}\n{calls}")]
    python(
        "import os, sys, torch, transformers, syne_tune, onnxruntime, datasets\n"
        f"for source in {sources!r}:\n"
        "    assert 'compresskit' not in sys.modules\n"
        "    if (child := os.fork()) == 0:\n"
        "        exec(source, {})\n"
        "        os._exit(0)\n"
        "    assert os.waitpid(child, 0)[1] == 0\n"
    )


@pytest.mark.parametrize("name", ["bench", "load_engine"])
def test_a_device_needs_the_base_install_only(name: str) -> None:
    absent = [package for package, extra in EXTRAS.items() if extra == "search"]
    python(f"from compresskit import {name}\nassert callable({name}) and {name}.__doc__", *absent)


def test_what_is_offered() -> None:
    assert set(compresskit.__all__) == {*FUNCTIONS, "Run", "__version__"}
    with pytest.raises(AttributeError, match="nothing"):
        compresskit.nothing  # noqa: B018
