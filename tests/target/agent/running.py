"""An agent in a process of its own on loopback, and the requests that tests send to it."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import onnx

from compresskit.target.agent.protocol import pack_head
from compresskit.target.profile import Profile
from compresskit.target.stripped_graph import strip_weights
from tests.target.agent import graphs

_PROGRAM = """
import json, sys
from pathlib import Path
from compresskit.target.agent.limits import Limits
from compresskit.target.agent.serve import serve
given = json.loads(sys.argv[1])
serve(
    host="127.0.0.1", port=given["port"], token_file=Path(given["token_file"]),
    limits=Limits(**given["limits"]), **{name: Path(path) for name, path in given["paths"].items()},
    say=lambda address: print(address, flush=True),
)
"""
PATIENCE_SECONDS = 120.0  # of tests: many times what anything takes that goes well
PROFILE = Profile(
    "test", length=8, interval_precision=0.5, warmup_runs=1, min_runs=5, max_runs=20, max_seconds=0.2
)


class RunningAgent:
    def __init__(
        self,
        folder: Path,
        *,
        state: Path | None = None,
        certfile: Path | None = None,
        keyfile: Path | None = None,
        scratch: Path | None = None,
        **limits: Any,
    ) -> None:
        self.token_file = folder / "agent.token"
        self.limits = {"memory_bytes": 512 << 20, **limits}
        paths = {"state": state, "certfile": certfile, "keyfile": keyfile}
        self.paths = {name: str(path) for name, path in paths.items() if path is not None}
        self.log = folder / "agent.log"
        self.environment = {**os.environ, **({} if scratch is None else {"TMPDIR": str(scratch)})}
        self.port = 0
        self.start()
        self.token = self.token_file.read_text().strip()

    def start(self) -> None:
        given = {
            "port": self.port,
            "token_file": str(self.token_file),
            "limits": self.limits,
            "paths": self.paths,
        }
        # What it and its libraries warn of goes to a file: a pipe that nobody reads fills up.
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-c", _PROGRAM, json.dumps(given)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env=self.environment,
            )
        assert self.process.stdout is not None
        self.address = self.process.stdout.readline().strip()
        assert self.address.startswith("http"), self.log.read_text()
        self.port = int(self.address.rpartition(":")[2])

    def kill(self) -> None:
        self.process.kill()
        self._gone()

    def stop(self) -> int:
        """Ask it to end; its exit status."""
        self.process.terminate()
        return self._gone()

    def _gone(self) -> int:
        code = self.process.wait(timeout=PATIENCE_SECONDS)
        assert self.process.stdout is not None
        self.process.stdout.close()
        return code

    def client(self, token: str | None = None) -> httpx.Client:
        return self.stranger({"Authorization": f"Bearer {self.token if token is None else token}"})

    def stranger(self, headers: Mapping[str, str] | None = None) -> httpx.Client:
        """A client with these headers alone."""
        return httpx.Client(base_url=self.address, headers=headers, trust_env=False, timeout=PATIENCE_SECONDS)

    @property
    def profile(self) -> Profile:
        return PROFILE.with_(address=self.address, token_file=str(self.token_file))


def body_of(job_id: str, model: onnx.ModelProto | bytes, **fields: Any) -> bytes:
    """A measurement's body."""
    data = model if isinstance(model, bytes) else model.SerializeToString()
    given: Mapping[str, Any] = {"profile": PROFILE.to_json(), "session": None, **fields}
    return pack_head(job_id, given, [("model", len(data))]) + data


def ended(client: httpx.Client, job_id: str) -> httpx.Response:
    """The answer once the job has ended."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        answer = client.get(f"/v1/measurements/{job_id}", params={"wait": "20"})
        if answer.status_code != 202:
            return answer
    raise AssertionError(f"job {job_id} has not ended after {PATIENCE_SECONDS} s")


def serve_honest(client: httpx.Client) -> None:
    """A job that has to go well, however busy the agent is."""
    job_id = secrets.token_hex(16)
    assert (
        submit(client, body_of(job_id, strip_weights(graphs.text_graph())), patient=True).status_code == 202
    )
    answer = ended(client, job_id)
    assert answer.status_code == 200, answer.text
    assert answer.json()["result"]["median_ms"] > 0


def submit(client: httpx.Client, body: bytes, *, patient: bool = False) -> httpx.Response:
    while True:
        answer = client.post("/v1/measurements", content=body)
        if answer.status_code not in (429, 503) or not patient:
            return answer
        time.sleep(0.2)


def failure(client: httpx.Client, model: onnx.ModelProto | bytes, **fields: Any) -> tuple[int, str, str]:
    """(HTTP status, kind, message) with which a job ends."""
    job_id = secrets.token_hex(16)
    answer = submit(client, body_of(job_id, model, **fields), patient=True)
    if answer.status_code == 202:
        answer = ended(client, job_id)
    error = answer.json()["error"] or {"kind": "none", "message": answer.text}
    return answer.status_code, error["kind"], error["message"]
