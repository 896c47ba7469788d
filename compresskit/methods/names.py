"""Names of the methods, and what settings and records need to know of each; `registry` makes them."""

from __future__ import annotations

from compresskit.errors import ConfigurationError, one_of

NAS, STANDARD_NAS, BLOCK = "nas", "standard-nas", "block"
UNTRAINED = ("retraining-free", "retraining-free-latency")
# `trials` is the number of sizes that they make; the others search until trials or time are spent.
LADDERS = (
    *("layer-drop", "layer-drop-top", "layer-drop-bottom", "student"),
    *("uniform", "magnitude-one-shot", "fisher-one-shot", "magnitude", "fisher"),
    *UNTRAINED,
    BLOCK,
)
LABELLED = (STANDARD_NAS, "layer-drop", "layer-drop-top", "layer-drop-bottom")  # no teacher takes part
METHODS = (NAS, STANDARD_NAS, *LADDERS)
_TRIALS, _SIZES = 60, 8


def check_method(name: str) -> None:
    """Raise ConfigurationError unless `name` is one of METHODS."""
    if name not in METHODS:
        raise ConfigurationError(one_of("method", name, METHODS))


def default_trials(name: str) -> int:
    """Trials of a method where the user gives neither trials nor a time."""
    return _SIZES if name in LADDERS else _TRIALS
