"""Searchers by name; each is imported on use, since some need heavy libraries."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from importlib import import_module

from compresskit.errors import SearchError, one_of
from compresskit.searchers.objectives import Objective
from compresskit.searchers.searcher import Searcher
from compresskit.spaces import Space

SEARCHERS = {
    "random": "random_search:RandomSearcher",
    "mo-rea": "mo_rea:MoReaSearcher",
    "ehvi": "ehvi:EhviSearcher",
    "local-search": "local_search:LocalSearcher",
    "nsga2": "nsga2:Nsga2Searcher",
    "bo-linear": "scalarised:LinearScalarisedSearcher",
    "bo-random": "scalarised:RandomScalarisedSearcher",
}


def searcher_class(name: str) -> type[Searcher]:
    """Raises SearchError for a name that is not known or whose libraries are not installed."""
    if name not in SEARCHERS:
        raise SearchError(one_of("searcher", name, SEARCHERS))
    module, _, attribute = SEARCHERS[name].partition(":")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what third-party packages deprecate while importing
            found: type[Searcher] = getattr(import_module(f"compresskit.searchers.{module}"), attribute)
    except ImportError as error:
        raise SearchError(
            f"searcher {name!r} needs a package that is not installed ({error}); "
            "install compresskit[search], or choose --searcher random."
        ) from error
    return found


def make_searcher(name: str, space: Space, objectives: Sequence[Objective], seed: int) -> Searcher:
    """The searcher `name` over `space`.

    Raises SearchError when it cannot serve the space, naming those that can.
    """
    kind = searcher_class(name)
    reason = kind.refusal(space)
    if reason is not None:
        able = [other for other in SEARCHERS if _serves(other, space)]
        raise SearchError(
            f"searcher {name!r} cannot serve space {space.name!r}: {reason}. "
            f"Searchers that can: {', '.join(able)}."
        )
    return kind(space, objectives, seed)


def _serves(name: str, space: Space) -> bool:
    try:
        return searcher_class(name).refusal(space) is None
    except SearchError:
        return False
