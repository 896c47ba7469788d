"""Ways to compress: `nas` searches one super-network, others make points with weights of their own."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from compresskit.errors import ConfigurationError, one_of

NAS, BLOCK = "nas", "block"

# Method -> the module here whose `METHODS` makes it. Imported late: settings need the names alone.
_MODULES = {
    "layer-drop": "depth",
    "layer-drop-top": "depth",
    "layer-drop-bottom": "depth",
    "student": "depth",
    "uniform": "alone",
    "magnitude-one-shot": "alone",
    "fisher-one-shot": "alone",
    "magnitude": "gradual",
    "fisher": "gradual",
    "retraining-free": "retraining_free",
    "retraining-free-latency": "retraining_free",
    "standard-nas": "standard_nas",
    BLOCK: "block",
}
# These search until their trials or their time are spent; of the others `trials` is the number of sizes.
_SEARCHES = (NAS, "standard-nas")
LADDERS = tuple(name for name in _MODULES if name not in _SEARCHES)
METHODS = (NAS, *_MODULES)
UNTRAINED = ("retraining-free", "retraining-free-latency")
_TRIALS, _SIZES = 60, 8


def check_method(name: str) -> None:
    """Raise ConfigurationError unless `name` is one of METHODS."""
    if name not in METHODS:
        raise ConfigurationError(one_of("method", name, METHODS))


def default_trials(name: str) -> int:
    """Trials of a method where the user gives neither trials nor a time."""
    return _SIZES if name in LADDERS else _TRIALS


def make_method(name: str) -> Any:
    """The `Method` of a name but `nas`, which is the search itself. ConfigurationError for another name."""
    check_method(name)
    return import_module(f"{__name__}.{_MODULES[name]}").METHODS[name]
