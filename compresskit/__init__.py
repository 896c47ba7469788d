"""Make a transformer small and fast enough for the device it must run on."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from compresskit.api.bench import bench as bench
    from compresskit.api.export import export as export
    from compresskit.api.run import Run as Run
    from compresskit.api.search import preview as preview
    from compresskit.api.search import search as search
    from compresskit.bundle.loader import load_engine as load_engine
    from compresskit.pruning.reload import load_pruned as load_pruned

__version__ = "0.1.0"

# Imported on first use: a device that only loads engines has none of the training libraries.
_HOMES = {
    "Run": "compresskit.api.run",
    "load_engine": "compresskit.bundle.loader",
    "load_pruned": "compresskit.pruning.reload",
    "preview": "compresskit.api.search",
    "search": "compresskit.api.search",
    "export": "compresskit.api.export",
    "bench": "compresskit.api.bench",
}
__all__ = ["Run", "__version__", "bench", "export", "load_engine", "load_pruned", "preview", "search"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
