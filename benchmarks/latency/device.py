"""The agent, in an environment that has no torch."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import onnxruntime

from benchmarks.latency.subjects import Settings

ROOT = Path(__file__).parents[2]


class Agent:
    """`compresskit agent` from an environment with the base install and onnxruntime alone."""

    def __init__(self, settings: Settings) -> None:
        self._folder = settings.work / "agent"
        self._folder.mkdir(exist_ok=True)
        self._bin = _environment(settings.work / "agent-venv")
        self.token_file = self._folder / "token"
        self.port = 0
        self.start()

    def start(self) -> None:
        command = [str(self._bin / "compresskit"), "agent", "--port", str(self.port)]
        self._process = subprocess.Popen(
            [*command, "--token-file", str(self.token_file), "--state", str(self._folder / "state")],
            stderr=subprocess.PIPE,
            text=True,
            cwd=self._folder,
        )
        assert self._process.stderr is not None
        line = self._process.stderr.readline()
        assert line.startswith("listening on"), line + self._process.stderr.read()
        self.port = int(line.split(",")[0].rpartition(":")[2])

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()
        assert self._process.stderr is not None
        self._process.stderr.close()

    def packages(self) -> list[str]:
        done = subprocess.run(
            [str(self._bin / "python"), "-m", "pip", "list", "--format", "json"],
            capture_output=True,
            check=True,
        )
        return [f"{item['name']} {item['version']}" for item in json.loads(done.stdout)]


def _environment(folder: Path) -> Path:
    """The environment's bin; made once. Its onnxruntime is this one's, so that latencies compare."""
    if not (folder / "ready").exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
        pip = [str(folder / "bin" / "pip"), "install", "--quiet"]
        subprocess.run([*pip, str(ROOT), f"onnxruntime=={onnxruntime.__version__}"], check=True)
        (folder / "ready").touch()
    found = subprocess.run([str(folder / "bin" / "python"), "-c", "import torch"], capture_output=True)
    assert found.returncode, "the agent's environment has torch"
    return folder / "bin"
