"""What this machine is: processor, memory, clocks, accelerators, ONNX Runtime."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import psutil

from compresskit.target.quota import cpu_quota

# The kernel's name of a processor flag -> the usual one; those that ONNX Runtime's kernels look for.
_FLAGS = {
    "avx2": "AVX2",
    "avx512f": "AVX512",
    "avx_vnni": "AVX-VNNI",
    "avx512_vnni": "AVX512-VNNI",
    "avx512_bf16": "AVX512-BF16",
    "amx_int8": "AMX-INT8",
    "amx_bf16": "AMX-BF16",
    "asimd": "NEON",
    "asimddp": "DOTPROD",
    "i8mm": "I8MM",
    "bf16": "BF16",
    "sve": "SVE",
}
_CPU = Path("/sys/devices/system/cpu")


def affinity() -> list[int]:
    """CPU numbers that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


def physical_cores(cores: Sequence[int] = ()) -> int:
    """Physical cores of the affinity mask, or of the CPUs `cores`; no more than a CPU quota keeps running.

    So many threads neither share a core nor are stopped for the rest of a period; 1 where the quota does not
    even fill one core.
    """
    usable = list(cores) or affinity()
    siblings = {core: _siblings(core) for core in usable}
    if all(siblings.values()):
        count = len(set(siblings.values()))
    else:  # the system does not say which CPUs share a core
        count = min(psutil.cpu_count(logical=False) or len(usable), len(usable))
    quota = cpu_quota()
    return max(min(count, quota.threads) if quota else count, 1)


def _siblings(core: int) -> str:
    """The CPUs of the same physical core, as the kernel lists them; "" where it does not."""
    try:
        return (_CPU / f"cpu{core}/topology/thread_siblings_list").read_text().strip()
    except OSError:
        return ""


def host_conditions() -> dict[str, Any]:
    """The part of the host's facts that a latency depends on, and that stays as it is."""
    quota = cpu_quota()
    return {
        "name": platform.node(),
        "cpu": cpu_model(),
        "instruction_sets": instruction_sets(),
        "cores_physical": psutil.cpu_count(logical=False),
        "cores_logical": psutil.cpu_count(),
        "affinity": affinity(),
        "governor": governor(),
        "machine": platform.machine(),
        "system": f"{platform.system()} {platform.release()}",
        "gpus": [gpu["name"] for gpu in gpus()],
        # Only where there is one: keys of latencies measured without one stay as they were.
        **({"quota_cores": quota.cores} if quota else {}),
    }


def host_facts() -> dict[str, Any]:
    """All facts, those of the moment included; what the system does not tell is None."""
    memory = psutil.virtual_memory()
    return {
        **host_conditions(),
        "clocks_mhz": clocks_mhz(),
        "memory_bytes": memory.total,
        "memory_available_bytes": memory.available,
        "gpus": gpus(),
        "onnxruntime": onnxruntime_facts(),
        "python": platform.python_version(),
        "load_average": list(os.getloadavg()) if hasattr(os, "getloadavg") else None,
    }


def onnxruntime_facts() -> dict[str, Any] | None:
    """Version, build and providers of the installed ONNX Runtime; None when there is none."""
    try:
        import onnxruntime as ort
    except ImportError:
        return None
    return {
        "version": ort.__version__,
        "providers": ort.get_available_providers(),
        "device": ort.get_device(),
    }


@cache
def _cpuinfo() -> dict[str, str]:
    path = Path("/proc/cpuinfo")
    if not path.exists():
        return {}
    pairs = (line.split(":", 1) for line in path.read_text(errors="replace").splitlines() if ":" in line)
    facts: dict[str, str] = {}
    for key, value in pairs:
        facts.setdefault(key.strip(), value.strip())
    return facts


def cpu_model() -> str:
    facts = _cpuinfo()
    model = Path("/proc/device-tree/model")  # a board's name says more than an Arm core's number
    if "model name" not in facts and model.exists():
        return model.read_text(errors="replace").strip("\0\n ")
    if platform.system() == "Darwin":
        return _output(["sysctl", "-n", "machdep.cpu.brand_string"]) or platform.processor()
    return facts.get("model name") or platform.processor() or platform.machine()


def instruction_sets() -> list[str]:
    facts = _cpuinfo()
    flags = set((facts.get("flags") or facts.get("Features") or "").split())
    return [name for flag, name in _FLAGS.items() if flag in flags]


def governor() -> str | None:
    """The frequency governor of the first core; None where there is none, as in most virtual machines."""
    path = _CPU / "cpu0/cpufreq/scaling_governor"
    return path.read_text().strip() if path.exists() else None


def clocks_mhz() -> dict[str, float] | None:
    try:
        clock = psutil.cpu_freq()
    except (NotImplementedError, OSError):
        return None
    if not clock or not clock.current:
        return None
    return {"current": clock.current, "min": clock.min, "max": clock.max}


def gpus() -> list[dict[str, Any]]:
    """NVIDIA GPUs as nvidia-smi lists them; empty where there is no such program."""
    if shutil.which("nvidia-smi") is None:
        return []
    names = ("name", "driver_version", "memory.total", "clocks.sm", "clocks.max.sm", "power.limit")
    text = _output(["nvidia-smi", f"--query-gpu={','.join(names)}", "--format=csv,noheader,nounits"])
    keys = ("name", "driver", "memory_mib", "clock_mhz", "clock_max_mhz", "power_limit_w")
    rows = [[item.strip() for item in line.split(",")] for line in text.splitlines() if line.strip()]
    return [dict(zip(keys, row, strict=False)) for row in rows]


def _output(command: list[str]) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=10, check=True).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return ""
