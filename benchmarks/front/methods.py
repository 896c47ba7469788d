"""The methods that are compared, as settings of a search; and what each may spend."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from compresskit.methods.names import LADDERS, NAS
from compresskit.methods.names import METHODS as SEARCH_METHODS

# Full-step equivalents (32 rows) from the pretrained weights to the front: what two cores do in 5
# to 15 minutes on a small task, in 20 on SST-2, by which of our processors it is.
BUDGETS = {
    "sst2": 4_500.0,
    "mrpc": 1_000.0,
    "rte": 800.0,
    "stsb": 1_400.0,
    "trec6": 2_500.0,
    "cola": 2_500.0,
    "imdb10k": 4_000.0,
    "agnews20k": 1_000.0,
    "clinc150": 2_500.0,
}
DENSE_SHARE = 0.3
CORE_TASKS = ("sst2", "mrpc", "stsb", "trec6", "cola")
SEEDS = {"mrpc": (0, 1), "trec6": (0, 1)}
DEFAULT = "nas"


@dataclass(frozen=True)
class Method:
    """`settings` of the search, and the share of its training budget that is kept for the chosen
    points, each fine-tuned alone at its export."""

    settings: Mapping[str, Any] = field(default_factory=dict)
    specialised: float = 0.0

    def trials(self, searched: int, engines: int) -> int:
        """`searched` candidates where a method searches, as many sizes as `engines` where it does not."""
        return engines if self.settings.get("method", NAS) in LADDERS else searched


_PAPER = {
    "space": "small",
    "strategy": "full",
    "layer_policy": "first",
    "importance": "none",
    "learning_rate": 2e-5,
    "temperature": 10.0,
    "proposals": 1,
}
METHODS = {
    "nas": Method(),
    "nas-specialised": Method(specialised=0.25),
    "nas-one-part": Method({"parts": 1}),
    "nas-four-parts": Method({"parts": 4}),
    "paper": Method(_PAPER),
    **{name: Method({"method": name}) for name in SEARCH_METHODS if name != NAS},
    # Rivals at lower learning rates than that of the default's super-network, which is theirs too.
    **{
        f"{name}-{rate:g}": Method({"method": name, "learning_rate": rate})
        for name in ("layer-drop", "student", "fisher")
        for rate in (5e-5, 1e-4, 2e-4)
    },
}
CORE_METHODS = ("nas", "paper", "layer-drop", "fisher", "retraining-free", "student")
