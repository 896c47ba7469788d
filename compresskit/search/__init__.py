"""The search: searchers, the loop that drives them, and the front. It never sees a model."""

from compresskit.search.constraints import Constraints
from compresskit.search.factory import SEARCHERS, make_searcher
from compresskit.search.front import build_front, select_point
from compresskit.search.loop import Budget, Evaluation, Progress, run_search
from compresskit.search.objectives import OBJECTIVES, Objective, make_objectives
from compresskit.search.searcher import Searcher

__all__ = [
    "OBJECTIVES",
    "SEARCHERS",
    "Budget",
    "Constraints",
    "Evaluation",
    "Objective",
    "Progress",
    "Searcher",
    "build_front",
    "make_objectives",
    "make_searcher",
    "run_search",
    "select_point",
]
