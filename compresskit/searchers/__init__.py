"""The search: searchers, the loop that drives them, and the front. It never sees a model."""

from compresskit.searchers.constraints import Constraints
from compresskit.searchers.factory import SEARCHERS, make_searcher
from compresskit.searchers.front import build_front, select_point
from compresskit.searchers.loop import Budget, Evaluation, SearchProgress, run_search
from compresskit.searchers.objectives import OBJECTIVES, Objective, make_objectives
from compresskit.searchers.searcher import Searcher

__all__ = [
    "OBJECTIVES",
    "SEARCHERS",
    "Budget",
    "Constraints",
    "Evaluation",
    "Objective",
    "SearchProgress",
    "Searcher",
    "build_front",
    "make_objectives",
    "make_searcher",
    "run_search",
    "select_point",
]
