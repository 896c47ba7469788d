from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import psutil
import pytest

from compresskit.target import doctor, host


def test_facts_are_json_and_say_what_is_here() -> None:
    facts = json.loads(json.dumps(host.host_facts()))
    assert facts["cpu"] and facts["memory_bytes"] > 0
    assert facts["onnxruntime"]["version"]
    assert "CPUExecutionProvider" in facts["onnxruntime"]["providers"]
    assert set(facts["affinity"]) <= set(range(4096))


def test_conditions_stay_the_same() -> None:
    assert host.host_conditions() == host.host_conditions()


def test_cores_are_bounded_by_affinity(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(psutil, "cpu_count", lambda logical=True: 8)
    monkeypatch.setattr(host, "affinity", lambda: [0, 1, 2])
    monkeypatch.setattr(host, "_CPU", tmp_path)  # which CPUs share a core is not said
    monkeypatch.setattr(host, "cpu_quota", lambda: None)
    assert host.physical_cores() == 3
    assert host.physical_cores((4,)) == 1
    monkeypatch.setattr(psutil, "cpu_count", lambda logical=True: None)
    assert host.physical_cores() == 3


@pytest.mark.parametrize(
    ("cpuinfo", "wanted"),
    [
        ({"flags": "sse avx2 avx512f avx512_vnni amx_int8"}, ["AVX2", "AVX512", "AVX512-VNNI", "AMX-INT8"]),
        ({"Features": "fp asimd asimddp i8mm"}, ["NEON", "DOTPROD", "I8MM"]),
        ({}, []),
    ],
)
def test_instruction_sets(
    monkeypatch: pytest.MonkeyPatch, cpuinfo: dict[str, str], wanted: list[str]
) -> None:
    monkeypatch.setattr(host, "_cpuinfo", lambda: cpuinfo)
    assert host.instruction_sets() == wanted


def test_gpus_are_read_from_nvidia_smi(monkeypatch: pytest.MonkeyPatch) -> None:
    def smi(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        assert command[0] == "nvidia-smi"
        return subprocess.CompletedProcess(command, 0, "Tesla Q, 550.1, 16384, 300, 1590, 70.00\n", "")

    monkeypatch.setattr(shutil, "which", lambda _: "/bin/nvidia-smi")
    monkeypatch.setattr(subprocess, "run", smi)
    (card,) = host.gpus()
    assert (card["name"], card["driver"], card["memory_mib"]) == ("Tesla Q", "550.1", "16384")
    monkeypatch.setattr(shutil, "which", lambda _: None)
    assert host.gpus() == []


def test_governor_is_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(host, "_CPU", tmp_path)
    assert host.governor() is None
    (tmp_path / "cpu0/cpufreq").mkdir(parents=True)
    (tmp_path / "cpu0/cpufreq/scaling_governor").write_text("powersave\n")
    assert host.governor() == "powersave"


def test_doctor_runs_a_graph_and_finds_faults(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_WATCH_SECONDS", 0.01)
    monkeypatch.setattr(host, "governor", lambda: "powersave")
    monkeypatch.setattr(host, "instruction_sets", lambda: ["AVX2"])
    monkeypatch.setattr(doctor, "version_of", lambda name: None if name == "torch" else "1.0")
    checks = {check.name: check for check in doctor.run_checks()}
    assert checks["provider cpu"].status == "ok"
    assert checks["governor"].status == "warn" and "performance" in checks["governor"].remedy
    assert checks["int8"].status == "warn"
    assert "torch" in checks["search packages"].detail
    assert "share one module" in checks["onnxruntime"].detail and checks["onnxruntime"].status == "fail"
    assert all(check.remedy for check in checks.values() if check.status != "ok")


def test_doctor_without_onnxruntime(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_WATCH_SECONDS", 0.01)
    monkeypatch.setattr(host, "onnxruntime_facts", lambda: None)
    monkeypatch.setattr(doctor, "version_of", lambda name: None if "runtime" in name else "1.0")
    checks = {check.name: check for check in doctor.run_checks()}
    assert checks["onnxruntime"].status == "fail" and "compresskit[cpu]" in checks["onnxruntime"].remedy
    assert "provider cpu" not in checks
