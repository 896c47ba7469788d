"""Latency on another device: graphs go to its agent, measurements come back."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import onnx

from compresskit import __version__
from compresskit.closing import Closing
from compresskit.errors import AgentError, TargetError
from compresskit.target.agent.protocol import (
    CRASH,
    MEMORY,
    MISSING,
    PROTOCOL,
    REFUSED,
    TIME,
    body_chunks,
    pack_head,
    part_size,
)
from compresskit.target.agent.transport import Transport, read_answer
from compresskit.target.base import Measurement, Model, SessionSettings
from compresskit.target.external_weights import LightGraph, whole_graph
from compresskit.target.local import conditions_of
from compresskit.target.profile import Profile
from compresskit.target.reference_level import Baselines
from compresskit.target.stripped_graph import strip_weights

_ADVICE = {
    REFUSED: "the agent refuses the graph: ",
    MEMORY: "the agent cut the graph off at its memory limit: ",
    TIME: "the agent cut the graph off at its time limit: ",
    CRASH: "the graph crashed the agent's worker: ",
}


class RemoteTarget(Closing):
    """The device behind `profile.address`.

    A graph travels without its large weights, unless the profile says `send_weights`. An agent that is
    killed and restarted, or out of reach for a while, costs time and no measurement: what it lost is
    sent again, under the same id; `say` hears of it, and the measurement's warnings tell it.
    `baselines` is a JSON file in which the reference's level is kept from process to process.
    Raises AgentError when the agent cannot be reached, does not know the token or speaks another
    protocol, TargetError when it has no such provider.
    """

    def __init__(
        self,
        profile: Profile,
        *,
        baselines: Path | None = None,
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        if profile.address is None:
            raise AgentError(f"profile {profile.name!r} has no address; give the agent's URL.")
        self._profile = profile
        self._heard: list[str] = []
        self._say = say
        self._transport = Transport(
            profile.address,
            token_file=Path(profile.token_file).expanduser() if profile.token_file else None,
            certificate_file=Path(profile.certificate_file).expanduser()
            if profile.certificate_file
            else None,
            say=self._hear,
        )
        self._reference: tuple[str, bytes] | None = None
        self._facts = self._read_facts()
        self._baselines = Baselines(baselines, self.conditions())

    def measure(
        self,
        model: Model | onnx.ModelProto | LightGraph,
        *,
        reference: Model | None = None,
        session: SessionSettings | None = None,
        reference_session: SessionSettings | None = None,
        seconds: float | None = None,
    ) -> Measurement:
        """Latency of `model` on the device (see LatencyTarget).

        Raises AgentError, at once, for a graph that the agent refuses or cuts off, or whose opset is
        newer than what ONNX Runtime there loads.
        """
        real = self._profile.send_weights
        parts = [("model", self.prepared(model, real=real))]
        if reference is None:
            self._reference = None
        else:
            parts.append(("reference", self._prepared_reference(reference)))
        self._heard.clear()
        fields = {
            "session": session.to_json() if session else None,
            "reference_session": reference_session.to_json() if reference_session else None,
            "seconds": seconds,
        }
        result = self.run_job("measurements", fields, parts)
        measured = self._levelled(Measurement.from_json(result))
        return replace(measured, warnings=(*measured.warnings, *self._heard))

    def _levelled(self, measured: Measurement) -> Measurement:
        """Corrected to the lowest level that this search has met, also when the agent was restarted."""
        found = measured.reference_level_ms
        if found is None:
            return measured
        key = str(measured.conditions.get("reference"))
        levels = measured.conditions.get("reference_levels_ms") or {key: found}
        if self._reference is not None:
            key, levels = self._reference[0], {self._reference[0]: found}
        level = {name: self._baselines.lowest(name, each) for name, each in levels.items()}[key]
        low, high = measured.corrected_ci_ms
        return replace(
            measured,
            corrected_median_ms=measured.corrected_median_ms * level / found,
            corrected_ci_ms=(low * level / found, high * level / found),
            reference_level_ms=level,
        )

    def conditions(self) -> dict[str, Any]:
        """Device, software and settings: what a stored latency is valid for."""
        return {
            **conditions_of(self._profile, self._facts, self._facts["host"]),
            "weights": "real" if self._profile.send_weights else "drawn",
        }

    def close(self) -> None:
        self._transport.close()

    def run_job(
        self, kind: str, fields: Mapping[str, Any], parts: Sequence[tuple[str, Model]]
    ) -> dict[str, Any]:
        """Have the agent do one job and return its result; sent again where the agent lost it."""
        fields = {"profile": travelling(self._profile), **fields}
        sizes = [(name, part_size(part)) for name, part in parts]
        job_id = secrets.token_hex(16)  # another for each measurement, the same for each attempt to get it
        head = pack_head(job_id, fields, sizes)
        models = [part for _, part in parts]
        total = len(head) + sum(size for _, size in sizes)
        sent = False
        while True:
            if sent:
                answer = self._transport.get(f"/v1/{kind}/{job_id}", wait="20")
            else:
                answer = self._transport.post(f"/v1/{kind}", total, lambda: body_chunks(head, models))
            value = read_answer(answer)
            if answer.status_code == 404 and sent:
                self._check_unchanged()
                self._hear(
                    f"the agent at {self._transport.address} was restarted, or cut off for long; sending the "
                    "graph again."
                )
                sent = False
                continue
            if answer.status_code == 200:
                return dict(value["result"])
            if answer.status_code != 202:
                raise _failure(answer.status_code, value)
            sent = True

    def _prepared_reference(self, reference: Model) -> bytes:
        key = sha256(reference).hexdigest() if isinstance(reference, bytes) else str(reference.resolve())
        if self._reference is None or self._reference[0] != key:
            self._reference = (key, self.prepared(reference, real=self._profile.send_weights))
        return self._reference[1]

    def prepared(self, model: Model | onnx.ModelProto | LightGraph, *, real: bool) -> bytes:
        """`model` as it travels: loadable there, and without its large weights unless `real`."""
        graph = whole_graph(model)
        adapt(graph, opset=self._facts["opset"], ir_version=self._facts["ir_version"])
        if not real:
            graph = strip_weights(graph)
        return bytes(graph.SerializeToString())

    def _check_unchanged(self) -> None:
        """Raise AgentError when what runs there now measures under other conditions than before."""
        facts = self._read_facts()
        for key in ("onnxruntime", "providers", "host"):
            if facts[key] != self._facts[key]:
                raise AgentError(
                    f"the agent at {self._transport.address} came back with another {key} ({facts[key]}, "
                    f"before: {self._facts[key]}): its latencies cannot be compared; start a new search."
                )

    def _read_facts(self) -> dict[str, Any]:
        facts = read_answer(self._transport.get("/v1/info"))
        if facts.get("protocol") != PROTOCOL:
            raise AgentError(
                f"the agent at {self._transport.address} (compresskit {facts.get('compresskit')}) speaks "
                f"protocol {facts.get('protocol')}, this is compresskit {__version__} with {PROTOCOL}; "
                "install the same version on both."
            )
        return facts

    def _hear(self, message: str) -> None:
        self._heard.append(message)
        self._say(message)


def travelling(profile: Profile) -> dict[str, Any]:
    """A profile without what is only the client's: where the agent is, and its secrets."""
    return profile.with_(address=None, token_file=None, certificate_file=None, send_weights=False).to_json()


def adapt(model: onnx.ModelProto, *, opset: int, ir_version: int) -> None:
    """Make `model` loadable where ONNX Runtime knows no more than these versions, in place.

    The IR version is lowered, local functions are inlined; an opset is never rewritten. Raises TargetError
    for one that is too new.
    """
    for entry in model.opset_import:
        if entry.domain in ("", "ai.onnx") and entry.version > opset:
            raise TargetError(
                f"the graph has opset {entry.version}; ONNX Runtime on the agent loads up to {opset}. "
                f"Export with opset {opset} or lower, or install a newer onnxruntime there."
            )
    model.ir_version = min(model.ir_version, ir_version)
    if len(model.functions):
        from onnx.inliner import inline_local_functions

        model.CopyFrom(inline_local_functions(model))


class EngineMissingError(AgentError):
    """The agent does not have an engine, or no more."""


def _failure(status: int, value: Mapping[str, Any]) -> AgentError:
    error = value.get("error") or {}
    kind, message = str(error.get("kind")), str(error.get("message"))
    if kind == MISSING:
        return EngineMissingError(message)
    return AgentError(f"{_ADVICE.get(kind, f'the agent answers {status}: ')}{message}")
