"""Where an exported engine is to run: engines are compared there and scored there."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import numpy.typing as npt
from onnx import ModelProto

from compresskit.bundle.runtime import Version, installed_version, parse_version
from compresskit.closing import Closing
from compresskit.display import SILENT, Display, Say, display_of
from compresskit.engine.score import logits_of
from compresskit.errors import TargetError
from compresskit.inputs import TEXT, InputSpec, Row
from compresskit.target.base import SessionSettings
from compresskit.target.compare import compare
from compresskit.target.comparison_result import Comparison
from compresskit.target.open import open_target
from compresskit.target.profile import Profile
from compresskit.target.remote_bench import RemoteBench
from compresskit.target.runner import EngineToMeasure

NamedGraph = tuple[str, ModelProto, SessionSettings]


class Device(Closing):
    """The profile's device, here or behind an agent. Engines go there with their own weights.

    Raises TargetError when the provider is not there, AgentError when the agent cannot be reached.
    """

    def __init__(self, profile: Profile, *, inputs: InputSpec = TEXT, say: Say | Display = SILENT) -> None:
        self.profile = profile
        self._display = display_of(say)
        self.inputs = inputs
        self._bench = None if profile.address is None else RemoteBench(profile, say=say)
        if self._bench is None:
            with open_target(profile, say=say):
                pass  # whether the provider is there

    @property
    def is_this_cpu(self) -> bool:
        """Whether it would compute the logits that this process computes on its CPU."""
        return self._scorer is None and self.profile.scoring_provider == "cpu"

    @property
    def _scorer(self) -> RemoteBench | None:
        """What computes logits elsewhere; where rows are too much to send, this machine does."""
        return self._bench if self.inputs.is_light else None

    @property
    def runtime(self) -> Version:
        """Of the ONNX Runtime there."""
        if self._bench is None:
            return installed_version()
        return parse_version(str(self._bench.conditions()["onnxruntime"]))

    def compare(self, graphs: Sequence[NamedGraph], baseline: str, *, decide: bool = False) -> Comparison:
        """Latency of each graph under the profile, turn about, and its ratio to the baseline's.

        To `decide` takes no longer than it needs to tell which is faster.
        """
        engines = [
            EngineToMeasure(name, graph.SerializeToString(), session) for name, graph, session in graphs
        ]
        if self._bench is not None:
            with self._display.stage("comparing forms on the device"):
                return self._bench.compare(engines, baseline, decide=decide)
        return compare(engines, self.profile, baseline, decide=decide, display=self._display)

    def logits(
        self, graph: ModelProto, rows: Sequence[Row], session: SessionSettings | None = None
    ) -> npt.NDArray[Any]:
        """Logits (rows, ...) of a graph, computed on the device; TensorRT's profile computes in CUDA.

        Images are not sent to another device: their logits are computed here.
        """
        if self._scorer is not None:
            data = graph.SerializeToString()
            return self._scorer.logits(data, rows, session=session, inputs=self.inputs)
        return logits_of(graph, rows, session, inputs=self.inputs, provider=self.profile.scoring_provider)

    def close(self) -> None:
        if self._bench is not None:
            self._bench.close()


@contextlib.contextmanager
def reach(profile: Profile, *, inputs: InputSpec, say: Say) -> Iterator[Device | None]:
    """The device of `profile`, or None, and why is said, where it is not there."""
    try:
        device = Device(profile, inputs=inputs, say=say)
    except TargetError as error:
        say(f"nothing is compared on the device: {error}")
        yield None
        return
    with device:
        yield device
