"""What a search is asked for: one value, stored in the run, from which a resumed search goes on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from compresskit.errors import ConfigurationError, one_of

SMALL_DATA_ROWS = 10_000


@dataclass(frozen=True)
class SearchSettings:
    """Settings of a search; None means a default that depends on the data.

    `epochs` holds for the dense model and for the super-network, one after the other.
    """

    model: str
    dataset: str
    profile: str
    method: str = "nas"
    space: str = "small"
    strategy: str = "teacher"
    searcher: str = "mo-rea"
    objectives: tuple[str, ...] = ("metric", "latency_ms")
    trials: int | None = 60
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
    layer_policy: str = "spread"
    unit_multiple: int = 32
    seed: int = 0

    def __post_init__(self) -> None:
        for option in ("batch_size", "max_length", "temperature", "num_random", "unit_multiple"):
            if getattr(self, option) <= 0:
                raise ConfigurationError(f"{option} is {getattr(self, option)}; permitted: above 0.")
        for option in ("epochs", "learning_rate", "budget_seconds", "trials"):
            value = getattr(self, option)
            if value is not None and value <= 0:
                raise ConfigurationError(f"{option} is {value}; permitted: above 0.")
        if self.method != "nas":
            raise ConfigurationError(one_of("method", self.method, ["nas"]))
        if self.trials is None and self.budget_seconds is None:
            raise ConfigurationError("a search needs an end: give --trials or --budget.")

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

    def epochs_for(self, rows: int) -> float:
        """Enough epochs for about 4,000 batches, but 2 to 8."""
        if self.epochs is not None:
            return self.epochs
        return float(min(8.0, max(2.0, 4_000 * self.batch_size / rows)))
