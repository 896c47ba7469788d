"""What exports found on the test set: RUN/tests/, one file for each engine that was scored."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from compresskit.errors import RunError
from compresskit.runs.atomic import write_atomic, write_error
from compresskit.runs.fields import figures_of

TESTS = "tests"


@dataclass(frozen=True)
class OnTest:
    """Test figures of one point; `trial_id` is None for the dense model.

    `changed` says in what the engine differs from the point on the front ("int8"); "" where in nothing.
    `by`: what computed it, ONNX Runtime or PyTorch. `metric_ci` and `difference_ci` are 95 % intervals,
    the latter of the metric minus the dense model's `dense_metric` on the same rows (see `tasks.intervals`);
    None where the dense model's answers are not known.
    """

    trial_id: int | None
    changed: str
    metric: float
    metric_ci: tuple[float, float]
    rows: int
    by: str
    dense_metric: float | None = None
    difference_ci: tuple[float, float] | None = None

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    def in_manifest(self) -> dict[str, Any]:
        """What stands in an engine's manifest beside its test metric; what is not known is left out."""
        names = ("rows", "metric_ci", "dense_metric", "difference_ci")
        known = {name: value for name, value in self.to_json().items() if name in names and value is not None}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in known.items()}

    @classmethod
    def from_json(cls, value: object) -> OnTest:
        """Raises RunError for missing or unknown fields and for values of another kind."""
        return figures_of(cls, value, "test figures", "export the point again")


def tests_name(trial_id: int | None, changed: str) -> str:
    """Name of the files that hold what an engine was found to be on the test set."""
    point = "dense" if trial_id is None else f"trial-{trial_id}"
    return "-".join([point, *changed.replace(",", "").split()])


def write_tested(run: Path, tested: OnTest) -> None:
    """Raises RunError when the disk refuses."""
    file = run / TESTS / f"{tests_name(tested.trial_id, tested.changed)}.json"
    try:
        file.parent.mkdir(exist_ok=True)
    except OSError as error:
        raise write_error(file, error) from error
    write_atomic(file, json.dumps(tested.to_json(), indent=2, allow_nan=False) + "\n")


def read_tested(run: Path) -> dict[int | None, OnTest]:
    """Test figures by trial, None for the dense model: of the point as it is, else of an engine of it.

    Raises RunError naming a file that is damaged.
    """
    found: dict[int | None, OnTest] = {}
    for file in sorted((run / TESTS).glob("*.json")):
        try:
            tested = OnTest.from_json(json.loads(file.read_bytes()))
        except (ValueError, RunError) as error:
            raise RunError(f"{file} is damaged: {error} Remove it, and export the point again.") from None
        if tested.trial_id not in found or not tested.changed:
            found[tested.trial_id] = tested
    return found
