"""What the agent does for each kind of job: checked when it arrives, run when its turn comes."""

from __future__ import annotations

import base64
import threading
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from compresskit.errors import CompresskitError, ConfigurationError, TargetError
from compresskit.exhausted import is_out_of_memory
from compresskit.inputs import InputSpec
from compresskit.target.agent.engines import COUNTS, LENGTHS
from compresskit.target.agent.fields import expect, read_limits, read_settings
from compresskit.target.agent.graphs import Graphs
from compresskit.target.agent.guard import CutOffError, Guard
from compresskit.target.agent.limits import Limits, check_session
from compresskit.target.agent.protocol import CRASH, MEMORY, TIME, Request
from compresskit.target.base import SessionSettings
from compresskit.target.decide import PATIENCE
from compresskit.target.host import host_conditions
from compresskit.target.local import LocalTarget
from compresskit.target.profile import Profile

Work = Callable[[], Mapping[str, Any]]


class Bench:
    """The device's own local target, with a guard before it. One job at a time; `close` ends it."""

    def __init__(self, limits: Limits, folder: Path) -> None:
        self._limits = limits
        self._guard = Guard(limits.memory_bytes)
        self._gpu_guard = Guard(limits.memory_bytes, limit_addresses=False)
        self._graphs = Graphs(self._guard, limits, folder)
        self._target: tuple[Profile, LocalTarget] | None = None
        self._lock = threading.Lock()  # between the job's thread and `close`
        self._closed = False

    def facts(self) -> dict[str, Any]:
        """What ONNX Runtime is here, and the host it runs on."""
        reply = self._guard.request({"do": "facts"}, 60.0)
        return {**{key: reply[key] for key in _FACTS}, "host": host_conditions()}

    def plan(self, kind: str, request: Request, body: Path) -> Work:
        """The work of a job. Raises ConfigurationError for what this agent does not permit."""
        plans: dict[str, Callable[[Request, Path], Work]] = {
            "measurements": self._plan_measurement,
            "engines": self._plan_engine,
            "logits": self._plan_logits,
            "comparisons": self._plan_comparison,
        }
        try:
            return plans[kind](request, body)
        except CompresskitError:
            raise
        except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
            raise ConfigurationError(f"the job is malformed: {error!r}.") from None

    def stop_job(self) -> None:
        """Have the job under way fail soon: the processes that do it are ended. The next starts others."""
        self._drop_target()
        self._guard.close()
        self._gpu_guard.close()

    def close(self) -> None:
        with self._lock:
            self._closed = True
            if self._target is not None:
                self._target[1].close()
        self._guard.close()
        self._gpu_guard.close()

    def _plan_measurement(self, request: Request, body: Path) -> Work:
        profile, session = read_settings(request.fields, self._limits)
        expect(
            request,
            fields={"profile", "session", "reference_session", "seconds"},
            parts={"model", "reference"},
            needed={"model"},
        )
        seconds, beside = (request.fields.get(name) for name in ("seconds", "reference_session"))
        reference_session = None if beside is None else SessionSettings.from_json(beside)
        if reference_session is not None:
            check_session(reference_session)
        how = {
            "session": session,
            "reference_session": reference_session,
            "seconds": None if seconds is None else float(seconds),
        }
        return partial(self._measure, request, body, profile, how)

    def _measure(
        self, request: Request, body: Path, profile: Profile, how: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        reference = None
        if "reference" in request.parts:
            _, reference = self._graphs.keep(body, request.parts["reference"])
        with self._graphs.once(body, request.parts["model"]) as model:
            target = self._target_of(profile)
            expired = threading.Event()

            def cut_off() -> None:
                expired.set()  # before the worker dies, so that its end is reported correctly
                self._drop_target()

            stop = threading.Timer(self._limits.job_seconds, cut_off)
            stop.start()
            try:
                found = target.measure(model, reference=reference, **how)
                return found.to_json()
            except Exception as error:  # a target that is closed under way may end in any
                if expired.is_set():
                    seconds = self._limits.job_seconds
                    raise CutOffError(
                        TIME, f"the job took longer than {seconds:g} s and was stopped."
                    ) from None
                raise (_sorted_out(error) if isinstance(error, TargetError) else error) from None
            finally:
                stop.cancel()

    def _plan_engine(self, request: Request, body: Path) -> Work:
        expect(request, fields={"profile"}, parts={"model"}, needed={"model"})
        return lambda: {"engine": self._graphs.keep(body, request.parts["model"])[0]}

    def _plan_logits(self, request: Request, body: Path) -> Work:
        profile, session = read_settings(request.fields, self._limits)
        inputs = InputSpec.from_json(request.fields["inputs"])
        expect(
            request,
            fields={"profile", "session", "engine", "inputs"},
            parts={LENGTHS, COUNTS, *inputs.names},
            needed={LENGTHS, inputs.names[0]},
        )
        asked = {
            "do": "logits",
            "profile": profile.to_json(),
            "session": None if session is None else session.to_json(),
            "inputs": inputs.to_json(),
            "source": str(body),
            "parts": {name: [part.offset, part.size] for name, part in request.parts.items()},
        }
        engine = str(request.fields["engine"])
        return partial(self._logits, asked, engine, profile, body.with_suffix(".logits"))

    def _logits(self, asked: dict[str, Any], engine: str, profile: Profile, out: Path) -> Mapping[str, Any]:
        asked |= {"path": str(self._graphs.need(engine)), "out": str(out)}
        try:
            reply = self._runner_of(profile).request(asked, self._limits.job_seconds)
            return {
                "rows": reply["rows"],
                "shape": reply["shape"],
                "logits": base64.b64encode(out.read_bytes()).decode(),
            }
        finally:
            out.unlink(missing_ok=True)

    def _plan_comparison(self, request: Request, body: Path) -> Work:
        profile, _ = read_settings(request.fields, self._limits)
        expect(
            request, fields={"profile", "engines", "baseline", "decide", "limits"}, parts=set(), needed=set()
        )
        engines = []
        for each in request.fields["engines"]:
            session = None if each["session"] is None else SessionSettings.from_json(each["session"])
            if session is not None:
                check_session(session)
            size = None if each["size_bytes"] is None else int(each["size_bytes"])
            engines.append(
                {"name": str(each["name"]), "session": each["session"], "size_bytes": size}
                | {"engine": str(each["engine"])}
            )
        if not 1 <= len(engines) <= _MOST_ENGINES:
            raise ConfigurationError(f"{len(engines)} engines to compare; permitted: 1 to {_MOST_ENGINES}.")
        asked = {
            "do": "compare",
            "profile": profile.to_json(),
            "baseline": request.fields.get("baseline"),
            "decide": bool(request.fields.get("decide", False)),
            "limits": [limit.to_json() for limit in read_limits(request.fields.get("limits", ()))],
        }
        return partial(self._compare, asked, engines, profile)

    def _compare(
        self, asked: dict[str, Any], engines: list[dict[str, Any]], profile: Profile
    ) -> Mapping[str, Any]:
        found = [{**each, "path": str(self._graphs.need(each["engine"]))} for each in engines]
        seconds = self._limits.job_seconds * len(engines) * (PATIENCE if asked["limits"] else 1.0)
        reply = self._runner_of(profile).request({**asked, "engines": found}, seconds)
        return dict(reply["comparison"])

    def _runner_of(self, profile: Profile) -> Guard:
        """The process for real engines; one that may map a GPU's memory where the profile asks for a GPU."""
        self._drop_target()  # its worker holds memory, and its idle threads may spin
        return self._guard if profile.provider == "cpu" else self._gpu_guard

    def _target_of(self, profile: Profile) -> LocalTarget:
        """The target of a profile, kept for the next job: its worker and reference are warm."""
        with self._lock:
            if self._closed:
                raise TargetError("the agent is shutting down; send the job again.")
            if self._target is None or self._target[0] != profile:
                if self._target is not None:
                    self._target[1].close()
                self._target = None
                target = LocalTarget(
                    profile,
                    memory_limit_bytes=self._limits.memory_bytes,
                    timeout_seconds=self._limits.job_seconds,
                )
                self._target = (profile, target)
            return self._target[1]

    def _drop_target(self) -> None:
        with self._lock:
            if self._target is not None:
                self._target[1].close()
            self._target = None


_MOST_ENGINES = 8
_FACTS = ("onnxruntime", "providers", "opset", "ir_version")


def _sorted_out(error: TargetError) -> TargetError:
    """The same failure with its kind, as far as the worker's words tell it."""
    message = str(error)
    if "took longer than" in message:
        return CutOffError(TIME, message)
    if is_out_of_memory(message):
        return CutOffError(MEMORY, message)
    if "the worker ended" in message:
        return CutOffError(CRASH, message)
    return error
