"""A run as a value: its front, and what can be made of it."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any

from compresskit.api.front import RunFront
from compresskit.bundle.loader import Engine, load_engine
from compresskit.bundle.manifest import Manifest
from compresskit.options.declare import takes_as_method
from compresskit.options.export import PointCall
from compresskit.options.run import ReportFile
from compresskit.pipeline.export import export
from compresskit.report.files import write_report
from compresskit.report.front_so_far import front_and_verdict
from compresskit.report.verdict import Verdict
from compresskit.runs.directory import RunDirectory


class ExportedEngine:
    """What an export wrote into the folder `path`, and its manifest."""

    def __init__(self, path: Path, manifest: Manifest) -> None:
        self.path = path.absolute()
        self.manifest = manifest

    @cached_property
    def engine(self) -> Engine:
        """The engine, loaded on first use. EngineError for a Triton model repository."""
        return load_engine(self.path)

    def predict(self, texts: Any, *, batch_size: int = 32) -> Any:
        """As `Engine.predict`."""
        return self.engine.predict(texts, batch_size=batch_size)


class Run:
    """The run in the folder `path`. RunError when there is none, or it is damaged."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path).absolute()  # whoever calls may change its folder
        RunDirectory.open(self.path)

    @property
    def front(self) -> RunFront:
        """The points, fastest first, as the folder has them now; of an unfinished run, those so far."""
        return RunFront(*front_and_verdict(RunDirectory.open(self.path)))

    @property
    def verdict(self) -> Verdict:
        """That of the front: whether pruning helps on the device."""
        return self.front.verdict

    @takes_as_method(PointCall)
    def export(self, **given: Any) -> ExportedEngine:
        """Prune one point, verify it, score it on the test set, and write its engine into `output`."""
        return ExportedEngine(Path(given["output"]), export(self.path, **given))

    @takes_as_method(ReportFile)
    def report(self, **given: Any) -> Path:
        """Write the run as one page and return its path."""
        return write_report(self.path, **given)

    def __repr__(self) -> str:
        return f"Run({str(self.path)!r})"

    def _repr_html_(self) -> str:
        front = self.front
        return f"{front._repr_html_()}<p>{front.verdict.headline}</p>"
