"""The settings of a search: one value, stored in the run, from which a resumed search continues."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from math import inf
from typing import Any

from compresskit.blocks import AXES, LASSOS, SCOPES
from compresskit.errors import ConfigurationError, one_of
from compresskit.field_types import wrong_kind
from compresskit.methods.names import BLOCK, LADDERS, NAS, check_method, default_trials
from compresskit.options.declare import normalized, options_of
from compresskit.options.search import SPACE, SUPERNET, SearchOptions
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
_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0}
# Names that run.json has had from the beginning, where they are not those of the options.
_STORED = {"text_column": "text_columns", "budget": "budget_seconds"}
_OPTIONS = {stored: name for name, stored in _STORED.items()}
KNOWN = {*options_of(SearchOptions), *_OPTIONS}


@dataclass(frozen=True)
class SearchSettings(SearchOptions):
    """Options of a search, checked; None means a default that depends on the data.

    Lists may be given as text with commas, paths as `Path`, `budget` as in 30m or in seconds; they are kept
    as tuples, text and seconds. `epochs` holds for the super-network, and for the dense model as
    `dense_epochs_for` says. `precisions`, where none is given, are as `precisions_on` says, `parts` of the
    super-network as `strategy.parts_of` does. `trials` None, with no time either, becomes the method's
    default. `block_width` goes before `block_counts`, `block_axis` None is measured, and a trial of another
    run may take the place of the dense model as what is pruned.
    """

    def __post_init__(self) -> None:
        for option, value in vars(self).items():
            object.__setattr__(self, option, as_kept(option, value))
        if wrong := wrong_kind(type(self), vars(self)):  # a configuration file may hold anything
            raise ConfigurationError(wrong)
        for option in ("batch_size", "temperature", "num_random", "unit_multiple", "proposals"):
            if not 0 < getattr(self, option) < inf:
                raise ConfigurationError(f"{option} is {getattr(self, option)}; permitted: above 0.")
        for option in (
            "epochs",
            "learning_rate",
            "max_length",
            "parts",
            "budget",
            "trials",
            "max_latency_ms",
        ):
            value = getattr(self, option)
            if value is not None and not 0 < value < inf:
                raise ConfigurationError(f"{option} is {value}; permitted: above 0.")
        if not 0 <= self.seed < 2**32:
            raise ConfigurationError(f"seed is {self.seed}; permitted: 0 to {2**32 - 1}.")
        self._check_method()
        self._check_blocks()
        if self.max_drop is not None and not 0 <= self.max_drop < inf:
            raise ConfigurationError(f"max_drop is {self.max_drop}; permitted: 0 points or more.")
        if self.trials is None and self.budget is None:
            object.__setattr__(self, "trials", default_trials(self.method))

    def _check_method(self) -> None:
        check_method(self.method)
        if self.parts not in (None, 1) and self.strategy != FrozenTeacher.name:
            raise ConfigurationError(
                f"parts is {self.parts}, but only strategy {FrozenTeacher.name} trains a super-network in "
                f"parts: leave it out, or take that strategy in place of {self.strategy}."
            )
        if self.method in LADDERS and self.budget is not None:
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
        uses = {SUPERNET: self.method == NAS, SPACE: self.method not in LADDERS, BLOCK: self.method == BLOCK}
        for name, (_, option) in options_of(SearchOptions).items():
            value = getattr(self, name)
            if value != getattr(SearchOptions, name) and not uses.get(option.used_by, True):
                raise ConfigurationError(
                    f"{name} is {value!r}, but method {self.method} does not use it; leave it out, or choose "
                    "another method."
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

    @property
    def budget_seconds(self) -> float | None:
        assert not isinstance(self.budget, str)
        return self.budget

    def to_json(self) -> dict[str, Any]:
        """With the names of run.json."""
        return {_STORED.get(name, name): value for name, value in asdict(self).items()}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> SearchSettings:
        """From the names of run.json or of options. ConfigurationError for another key."""
        named = {_OPTIONS.get(key, key): item for key, item in value.items()}
        for key in named:
            if key not in KNOWN:
                raise ConfigurationError(one_of("setting", key, options_of(SearchOptions)))
        return cls(**named)

    def precisions_on(self, profile: Profile) -> Sequence[str]:
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


def as_kept(option: str, value: Any) -> Any:
    """An option's value as settings have it; ConfigurationError for a list or time that cannot be read."""
    if option == "budget" and isinstance(value, str):
        return parse_duration(value)
    return normalized(SearchOptions, option, value)


def parse_duration(text: str) -> float:
    """Seconds of `90s`, `30m` or `1.5h`; ConfigurationError otherwise."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([smh])", text.strip())
    if match is None:
        raise ConfigurationError(f"budget {text!r} is not a duration; write it as 90s, 30m or 1.5h.")
    return float(match[1]) * _UNITS[match[2]]
