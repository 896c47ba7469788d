"""What the parts share: models, architectures, their graphs, and a program that loads the second core."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from compresskit.architecture import Architecture
from compresskit.engine.variants import Variant, variant_named
from compresskit.spaces import make_space
from compresskit.target.external_weights import LightGraph
from compresskit.target.profile import Profile, load_profile

# The variant with most work to it: it packs the weights of every attention.
VARIANT: Variant = variant_named("first-token-packed-attention")
PROFILE: Profile = load_profile("cpu-1-thread")

_LOAD = """
import os, sys, time
import numpy as np
if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
rng = np.random.default_rng(0)
matrix, stream = np.ones((512, 512), np.float32), np.ones(1 << 24, np.float32)
print("ready", flush=True)
while True:
    until = time.monotonic() + rng.uniform(0.5, 2.5)
    while time.monotonic() < until:
        matrix @ matrix
        stream *= 1.0
    time.sleep(rng.uniform(0.5, 2.5))
"""


@dataclass(frozen=True)
class Settings:
    """What the command was given; `share` below 1 shrinks numbers of repetitions."""

    model: Path
    work: Path
    output: Path
    share: float

    def times(self, number: int, least: int = 2) -> int:
        return max(round(number * self.share), least)


@dataclass(frozen=True, eq=False)
class Subject:
    """A model and the slicer of its exported graph."""

    name: str
    model: Any
    slicer: Any

    def architectures(self, number: int, seed: int = 0) -> list[Architecture]:
        """`number` architectures of different shapes, of all sizes."""
        space = make_space("medium", self.slicer.blueprint.dims, unit_multiple=32)
        rng = np.random.default_rng(seed)
        found: dict[str, Architecture] = {}
        while len(found) < number:
            architecture = space.sample_architecture(rng)
            found.setdefault(architecture.signature, architecture)
        return list(found.values())

    def graph(self, architecture: Architecture) -> LightGraph:
        """The graph as a search measures it."""
        graph = self.slicer.slice_light(architecture)
        return LightGraph(VARIANT.apply(graph.model), graph.weights)


def minilm(settings: Settings) -> Subject:
    from benchmarks.encoders import pretrained

    return _subject("MiniLM-L6", pretrained(settings.model))


def bert_base() -> Subject:
    from benchmarks.encoders import drawn_bert

    return _subject("BERT-base", drawn_bert())


def _subject(name: str, model: Any) -> Subject:
    from compresskit.engine.export import export_onnx
    from compresskit.engine.graph_slicer import GraphSlicer
    from compresskit.supernet.surgery import blueprint_of

    return Subject(name, model.eval(), GraphSlicer(export_onnx(model), blueprint_of(model)))


def export_anew(subject: Subject, architecture: Architecture, path: Path) -> None:
    """What a search without slicing would do: prune the model and have torch trace it, shapes dynamic."""
    import contextlib
    import io
    import logging
    import warnings

    from benchmarks.encoders import plain_program
    from compresskit.pruning.extract import extract

    model = extract(subject.model, architecture).eval()
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        program = plain_program(model)
    program.save(str(path))


class SecondCore:
    """A program that keeps the last core busy on and off, half a second to two and a half at a time."""

    def __enter__(self) -> SecondCore:
        self._process = subprocess.Popen(
            [sys.executable, "-c", _LOAD],
            stdout=subprocess.PIPE,
            env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
        )
        assert self._process.stdout is not None
        self._process.stdout.readline()
        return self

    def pause(self) -> None:
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    def __exit__(self, *_: object) -> None:
        self.go_on()
        self._process.kill()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()


def spearman(one: list[float], other: list[float]) -> float:
    from scipy.stats import spearmanr

    return float(spearmanr(one, other).statistic)


def percent(value: float, digits: int = 2) -> str:
    return f"{100 * value:.{digits}f} %"
