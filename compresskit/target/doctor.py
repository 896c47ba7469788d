"""Whether this machine can measure what a profile asks for, and what would spoil it."""

from __future__ import annotations

import importlib.metadata
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import psutil

from compresskit.errors import TargetError
from compresskit.target import host
from compresskit.target.load import foreign_cores, load_now
from compresskit.target.local import cache_folder, start_child
from compresskit.target.profile import PROVIDERS, Profile
from compresskit.target.quota import cpu_quota, throttling
from compresskit.target.reference_graphs import default_reference
from compresskit.target.session import session_spec

_PACKAGES = ("numpy", "onnx", "tokenizers")
_SEARCH_PACKAGES = ("torch", "transformers", "optimum", "syne-tune", "datasets", "safetensors")
_RUNTIMES = ("onnxruntime", "onnxruntime-gpu")
_WATCH_SECONDS = 1.0
_LEAST_MEMORY = 2 * 2**30


@dataclass(frozen=True)
class Check:
    """One finding: `status` is "ok", "warn" or "fail"; `remedy` says what to do about the last two."""

    name: str
    status: str
    detail: str
    remedy: str = ""

    def to_json(self) -> dict[str, str]:
        return {"name": self.name, "status": self.status, "detail": self.detail, "remedy": self.remedy}


def run_checks() -> list[Check]:
    """All checks; takes some seconds, for it watches the machine and runs a graph on each provider."""
    parts: tuple[Callable[[], Iterator[Check]], ...] = (
        _packages, _providers, _processor, _quota, _clock, _accelerators, _memory, _load,
    )  # fmt: skip
    return [check for part in parts for check in part()]


def version_of(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _packages() -> Iterator[Check]:
    for name in _PACKAGES:
        version = version_of(name)
        yield (
            Check(name, "ok", version)
            if version
            else Check(name, "fail", "not installed", f"pip install {name}")
        )
    found = {name: version for name in _RUNTIMES if (version := version_of(name))}
    listed = ", ".join(f"{name} {version}" for name, version in found.items())
    if len(found) > 1:
        yield Check(
            "onnxruntime",
            "fail",
            f"{listed} share one module",
            "pip uninstall both, then install one of them",
        )
    elif host.onnxruntime_facts() is None:
        remedy = "pip install 'compresskit[cpu]', or 'compresskit[gpu]' for an NVIDIA GPU"
        yield Check("onnxruntime", "fail", listed or "not installed", remedy)
    else:
        yield Check("onnxruntime", "ok", listed or "installed by other means than pip")
    missing = [name for name in _SEARCH_PACKAGES if version_of(name) is None]
    if missing:
        yield Check(
            "search packages",
            "warn",
            f"not installed: {', '.join(missing)}; this machine measures but cannot search",
            "pip install 'compresskit[search]' (Python 3.11 or later)",
        )
    else:
        versions = (f"{name} {version_of(name)}" for name in _SEARCH_PACKAGES)
        yield Check("search packages", "ok", ", ".join(versions))


def _providers() -> Iterator[Check]:
    facts = host.onnxruntime_facts()
    if facts is None:
        return
    for name, full in PROVIDERS.items():
        if full not in facts["providers"]:
            continue
        profile = Profile(name=f"doctor-{name}", provider=name, threads=1)
        model = default_reference()
        try:
            child = start_child(profile)
            try:
                found = child.load("doctor", model, session_spec(model, profile, cache=cache_folder(profile)))
            finally:
                child.kill()
        except TargetError as error:
            remedy = "install the libraries of this provider in the versions that ONNX Runtime names"
            yield Check(f"provider {name}", "fail", str(error), remedy)
            continue
        yield Check(f"provider {name}", "ok", f"ran a graph; first run after {found['first_run_ms']:.0f} ms")


def _processor() -> Iterator[Check]:
    facts = host.host_conditions()
    sets = facts["instruction_sets"]
    cores = f"{facts['cores_physical']} cores, {facts['cores_logical']} threads"
    yield Check("processor", "ok", f"{facts['cpu']}, {cores}, {', '.join(sets) or 'no known extensions'}")
    if not {"AVX-VNNI", "AVX512-VNNI", "AMX-INT8", "DOTPROD", "I8MM"} & set(sets):
        yield Check(
            "int8",
            "warn",
            "no dot-product instructions (VNNI, AMX, DOTPROD): int8 gains little, and its results may differ "
            "from those of machines that have them",
            "verify int8 engines on this machine with `compresskit bench --dataset`",
        )
    allowed = facts["affinity"]
    if len(allowed) < (facts["cores_logical"] or 0):
        yield Check("affinity", "warn", f"bound to CPUs {allowed}", "start without taskset or a CPU limit")


def _quota() -> Iterator[Check]:
    quota = cpu_quota()
    if quota is None:
        return
    stopped = throttling()
    so_far = (
        f"; stopped {stopped.periods} times so far, for {stopped.seconds:.1f} s"
        if stopped and stopped.periods
        else ""
    )
    yield Check(
        "CPU quota",
        "warn",
        f"{quota.cores:g} cores of each {quota.period_ms:g} ms (cgroup {quota.group}): a process that has "
        "used them up is throttled: it stands still until the period ends, and single latencies take up to "
        f"that much longer{so_far}",
        f"set threads = {quota.threads} in the profile, more are pointless; or raise the CPU limit of the "
        "container",
    )


def _clock() -> Iterator[Check]:
    governor = host.governor()
    if governor is None:
        yield Check("governor", "ok", "none (fixed, or a virtual machine)")
    elif governor == "performance":
        yield Check("governor", "ok", governor)
    else:
        remedy = "sudo cpupower frequency-set -g performance"
        yield Check("governor", "warn", f"{governor}: the clock follows the load", remedy)
    clocks = host.clocks_mhz()
    if clocks:
        most = f", at most {clocks['max']:.0f}" if clocks["max"] else ""
        yield Check("clock", "ok", f"{clocks['current']:.0f} MHz now{most}")


def _accelerators() -> Iterator[Check]:
    cards = host.gpus()
    for card in cards:
        yield Check("gpu", "ok", f"{card['name']}, driver {card.get('driver')}")
    facts = host.onnxruntime_facts()
    if cards and facts and PROVIDERS["cuda"] not in facts["providers"]:
        yield Check(
            "gpu", "warn", "onnxruntime here cannot use it",
            "pip uninstall onnxruntime, then pip install 'compresskit[gpu]'",
        )  # fmt: skip
    if not cards and shutil.which("nvidia-smi"):
        yield Check("gpu", "warn", "nvidia-smi finds no GPU", "check the driver")


def _memory() -> Iterator[Check]:
    free = psutil.virtual_memory().available
    detail = f"{free / 2**30:.1f} GiB available"
    if free < _LEAST_MEMORY:
        yield Check("memory", "warn", detail, "close other programs: swapping spoils every figure")
    else:
        yield Check("memory", "ok", detail)


def _load() -> Iterator[Check]:
    before, stolen = load_now(()), getattr(psutil.cpu_times(), "steal", 0.0)
    time.sleep(_WATCH_SECONDS)
    busy = foreign_cores(before, load_now(())) or 0.0
    stolen = (getattr(psutil.cpu_times(), "steal", 0.0) - stolen) / _WATCH_SECONDS
    if busy > 0.2:
        heavy = f"other processes keep {busy:.1f} cores busy"
        yield Check("load", "warn", heavy, "stop them, or pin the measurement with `cores` in the profile")
    else:
        yield Check("load", "ok", f"{busy:.2f} cores busy")
    if stolen > 0.02:
        detail = f"the hypervisor takes {stolen:.0%} of a core away"
        yield Check("steal", "warn", detail, "measure on dedicated cores")
