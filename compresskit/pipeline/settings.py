"""What a search is asked for: one value, stored in the run, from which a resumed search goes on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from math import inf
from typing import Any

from compresskit.blocks import AXES, LASSOS, SCOPES
from compresskit.errors import ConfigurationError, one_of
from compresskit.field_types import wrong_kind
from compresskit.methods.names import BLOCK, LADDERS, NAS, check_method, default_trials
from compresskit.searchers.constraints import Constraints
from compresskit.target.profile import Profile
from compresskit.training.strategies import FrozenTeacher

# Default learning rates are for a model of this hidden size, on which they were found.
RATES_WIDTH = 384
HIGHEST_LEARNING_RATE = 1e-3
DENSE_LEARNING_RATE = 1e-4
DENSE_EPOCHS, DENSE_STEPS = 4.0, 300
# Of the super-network (`benchmarks/recipe`): with a teacher to follow, and on labels alone.
TAUGHT_LEARNING_RATE, LABEL_LEARNING_RATE = 4e-4, 1e-4
POINT_LEARNING_RATE = 1e-4  # of one network alone that a teacher teaches
# What serves a super-network alone, what every search of a space, and what method block.
_OF_SHARING: tuple[str, ...] = ("strategy", "num_random", "parts", "proposals")
_OF_SEARCHING: tuple[str, ...] = ("space", "searcher")
_OF_BLOCKS: tuple[str, ...] = (
    *("block_counts", "block_width", "block_axis", "block_scope"),
    *("lasso", "lasso_strength", "distil", "start_run", "start_trial"),
)


@dataclass(frozen=True)
class SearchSettings:
    """Settings of a search; None means a default that depends on the data.

    `epochs` holds for the super-network, and for the dense model as `dense_epochs_for` says. `importance`
    orders heads and units; `precisions`, where none is given, are as `precisions_on` says, `parts` of the
    super-network as `strategy.parts_of` does. `max_drop` is in points: 1 means a metric of 0.01 below the
    dense model's. `trials` None, with no time either, becomes the method's default. What begins with
    `block_`, `lasso` or `start_`, and `distil`, serve method block alone: `block_width` goes before
    `block_counts`, `block_axis` None is measured, and a trial of another run may take the place of the dense
    model as what is pruned. `allow_weak_dense`: go on where `dense_check` would stop.
    """

    model: str
    dataset: str
    profile: str
    method: str = NAS
    space: str = "ranked"
    strategy: str = FrozenTeacher.name
    searcher: str = "local-search"
    objectives: tuple[str, ...] = ("metric", "latency_ms")
    precisions: tuple[str, ...] = ()
    max_latency_ms: float | None = None
    max_drop: float | None = None
    proposals: int = 4
    trials: int | None = None
    budget_seconds: float | None = None
    task: str | None = None
    metric: str | None = None
    text_columns: tuple[str, ...] = ()
    label_column: str | None = None
    epochs: float | None = None
    batch_size: int = 32
    learning_rate: float | None = None
    max_length: int = 128
    temperature: float = 2.0
    num_random: int = 2
    parts: int | None = None
    importance: str = "fisher"
    layer_policy: str = "spread"
    unit_multiple: int = 32
    block_counts: tuple[int, ...] = (2, 4)
    block_width: int | None = None
    block_axis: str | None = None
    block_scope: str = "matrix"
    lasso: str = "reweighted"
    lasso_strength: float = 1e-3
    distil: bool = True
    start_run: str | None = None
    start_trial: int | None = None
    allow_weak_dense: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        self._check_kinds()
        for option in ("batch_size", "max_length", "temperature", "num_random", "unit_multiple", "proposals"):
            if not 0 < getattr(self, option) < inf:
                raise ConfigurationError(f"{option} is {getattr(self, option)}; permitted: above 0.")
        for option in ("epochs", "learning_rate", "parts", "budget_seconds", "trials", "max_latency_ms"):
            value = getattr(self, option)
            if value is not None and not 0 < value < inf:
                raise ConfigurationError(f"{option} is {value}; permitted: above 0.")
        if not 0 <= self.seed < 2**32:
            raise ConfigurationError(f"seed is {self.seed}; permitted: 0 to {2**32 - 1}.")
        self._check_method()
        self._check_blocks()
        if self.max_drop is not None and not 0 <= self.max_drop < inf:
            raise ConfigurationError(f"max_drop is {self.max_drop}; permitted: 0 points or more.")
        if self.trials is None and self.budget_seconds is None:
            object.__setattr__(self, "trials", default_trials(self.method))

    def _check_kinds(self) -> None:
        """A configuration file may hold anything."""
        if wrong := wrong_kind(type(self), vars(self)):
            raise ConfigurationError(wrong)

    def _check_method(self) -> None:
        check_method(self.method)
        if self.parts not in (None, 1) and self.strategy != FrozenTeacher.name:
            raise ConfigurationError(
                f"parts is {self.parts}, but only strategy {FrozenTeacher.name} trains a super-network in "
                f"parts: leave it out, or take that strategy in place of {self.strategy}."
            )
        if self.method in LADDERS and self.budget_seconds is not None:
            raise ConfigurationError(
                f"method {self.method} makes a fixed number of sizes: give --trials, not --budget."
            )
        if self.method != NAS and self.precisions not in ((), ("fp32",)):
            raise ConfigurationError(
                f"method {self.method} makes fp32 points, not {', '.join(self.precisions)}; choose the "
                "precision in `compresskit export`, or take method nas."
            )

    def check_used(self) -> None:
        """Raise ConfigurationError for an option that was given and that the method would ignore."""
        unused = () if self.method == NAS else _OF_SHARING
        unused += _OF_SEARCHING if self.method in LADDERS else ()
        unused += () if self.method == BLOCK else _OF_BLOCKS
        for option in unused:
            if getattr(self, option) != getattr(SearchSettings, option):
                raise ConfigurationError(
                    f"{option} is {getattr(self, option)!r}, but method {self.method} has no use for it; "
                    "leave it out, or take another method."
                )

    def _check_blocks(self) -> None:
        choices = {"block_scope": SCOPES, "lasso": LASSOS}
        choices |= {"block_axis": AXES} if self.block_axis is not None else {}
        for option, permitted in choices.items():
            if getattr(self, option) not in permitted:
                raise ConfigurationError(one_of(option, getattr(self, option), permitted))
        least = min((*self.block_counts, self.block_width or 1), default=0)
        if not self.block_counts or least < 1 or self.lasso_strength <= 0:
            raise ConfigurationError(
                f"block_counts {self.block_counts}, block_width {self.block_width}, lasso_strength "
                f"{self.lasso_strength}; permitted: at least one count, all from 1, and a strength above 0."
            )

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> SearchSettings:
        """Raises ConfigurationError for a key that is not known, naming those that are."""
        known = {field.name for field in fields(cls)}
        for key in value:
            if key not in known:
                raise ConfigurationError(one_of("setting", key, known))
        lists: dict[str, Any] = {
            key: tuple(item) if isinstance(item, list) else item for key, item in value.items()
        }
        return cls(**lists)

    def precisions_on(self, profile: Profile) -> tuple[str, ...]:
        """The precisions to search: those given, or the profile's own.

        TensorRT computes an fp32 graph in the profile's precision, and a method other than nas makes fp32
        points.
        """
        if self.precisions:
            return self.precisions
        in_graph = self.method == NAS and profile.provider != "tensorrt"
        return (profile.precision,) if in_graph else ("fp32",)

    def constraints(self, dense_metric: float, prior: float) -> Constraints:
        """What the search keeps to; `max_drop` counts from the dense model's metric.

        Both metrics are of the rows by which candidates are judged.
        """
        return Constraints.relative(self.max_latency_ms, self.max_drop, dense_metric, prior)

    def epochs_for(self, rows: int) -> float:
        """Enough epochs for about 4,000 batches, but 2 to 8."""
        if self.epochs is not None:
            return self.epochs
        return float(min(8.0, max(2.0, 4_000 * self.batch_size / rows)))

    def dense_epochs_for(self, rows: int) -> float:
        """As many, but 4 at most where those are 300 steps or more.

        A teacher that knows its rows by heart teaches badly: on MRPC, with equal training after it,
        sub-networks of one of 8 epochs score 3.5 points less than those of one of 4.
        """
        enough = max(DENSE_EPOCHS, DENSE_STEPS * self.batch_size / rows)
        return min(self.epochs_for(rows), enough)
