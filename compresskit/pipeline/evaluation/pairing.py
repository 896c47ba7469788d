"""Points of a front measured beside the dense model: in one process, in turn, so that their ratio holds.

A ratio of two latencies that were measured minutes apart holds only if the machine was in one state; a
paired one does not need that.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from compresskit.architecture import Candidate
from compresskit.errors import AgentError, TargetError
from compresskit.pipeline.evaluation.latency import LatencyMeter
from compresskit.pipeline.evaluation.latency_record import CandidateLatency
from compresskit.pipeline.evaluation.speedup import SpeedUp, is_settled
from compresskit.target.staging import Staging


class DensePairs:
    """Measures candidates of one run beside its dense model; what the run knows is not measured again.

    `dense_ms` is what the dense model took beside them in the calmest state; None before the first.
    """

    def __init__(self, meter: LatencyMeter) -> None:
        self.dense_ms: float | None = None
        self._meter = meter
        # The dense graph stays while candidates come and go in the target's own staging.
        self._staging = Staging()
        self._path: Path | None = None
        self._dense: SpeedUp | None = None

    def latency(self, candidate: Candidate, macs_ratio: float | None = None) -> CandidateLatency:
        """Its latency as a front has it: the dense model's over the speed-up of the two.

        Where that contradicts what the search found, or lies beyond `macs_ratio`, the reduction in
        multiply-accumulates, they are run again. A graph that fails now keeps what it had; raises AgentError
        where the device is no longer there.
        """
        known = self._meter.measure(candidate)
        if known.speedup is not None or candidate == self._meter.dense:
            return known
        looks: list[SpeedUp] = []
        try:
            while not looks or not is_settled(looks, self._expected(known), macs_ratio):
                looks.append(self._look(candidate))
        except AgentError:
            raise
        except TargetError:
            if not looks:
                return known
        return self._meter.note_speedup(candidate, looks)

    def close(self) -> None:
        """Free the dense graph's memory; the next look takes it again."""
        self._staging.close()
        self._path = None

    def _look(self, candidate: Candidate) -> SpeedUp:
        meter = self._meter
        if self._path is None:
            self._path = self._staging.put(meter.build_light(meter.dense))
        session = meter.variant_for(meter.dense.precision).session
        if meter.profile.lengths and self._dense is None:
            # The reference runs at one length, and dense itself is measured beside it at all of them.
            self._dense = SpeedUp.of(meter.measure_beside(meter.dense, self._path, session))
        found = meter.measure_beside(candidate, self._path, session)
        level = found.reference_level_ms
        assert level is not None
        own = self._dense
        dense_ms = level if own is None else level / own.times
        self.dense_ms = dense_ms if self.dense_ms is None else min(dense_ms, self.dense_ms)
        return SpeedUp.of(found, own)

    def _expected(self, known: CandidateLatency) -> tuple[float, float]:
        """The interval of the speed-up by what the search measured of the two."""
        dense = self._meter.measure(self._meter.dense)
        times = dense.median_ms / known.median_ms
        error = float(np.exp(np.hypot(known.half_width, dense.half_width)))
        return times / error, times * error
