"""A profile for the device at hand, and its TOML."""

from __future__ import annotations

import json
import re
from dataclasses import fields
from typing import Any

from compresskit.errors import TargetError
from compresskit.target import host
from compresskit.target.profile import PROVIDERS, Profile


def detect_profile() -> Profile:
    """What this device does best: CUDA in fp16 where ONNX Runtime has it and a GPU is there, else the CPU.

    Raises TargetError without onnxruntime.
    """
    facts = host.onnxruntime_facts()
    if facts is None:
        raise TargetError(
            "onnxruntime is not installed: pip install 'compresskit[cpu]' or 'compresskit[gpu]'."
        )
    conditions = host.host_conditions()
    name = re.sub(r"[^a-z0-9]+", "-", conditions["name"].lower()).strip("-") or "device"
    if PROVIDERS["cuda"] in facts["providers"] and conditions["gpus"]:
        return Profile(
            name=f"{name}-cuda",
            description=f"{conditions['gpus'][0]} of {conditions['name']}, onnxruntime {facts['version']}",
            provider="cuda",
            provider_options={"device_id": 0},
            batch=8,
            precision="fp16",
        )
    cores = host.physical_cores()
    counted = "1 core" if cores == 1 else f"{cores} cores"
    if quota := conditions.get("quota_cores"):
        counted += f" (CPU quota of {quota:g})"
    return Profile(
        name=f"{name}-cpu",
        description=f"{conditions['cpu']}, {counted}, onnxruntime {facts['version']}",
        threads=cores,
    )


def profile_toml(profile: Profile) -> str:
    """The profile as a file that `load_profile` reads; settings at their defaults are left out."""
    default = Profile(name=profile.name)
    plain, tables = [], []
    # What says what is measured stands there even at its default.
    always = {"description", "provider", "threads", "batch", "length", "precision", "shapes"}
    for item in fields(Profile):
        value = getattr(profile, item.name)
        if item.name == "name" or (value == getattr(default, item.name) and item.name not in always):
            continue
        if item.name in ("provider_options", "session_options"):
            rows = "".join(f"{_key(key)} = {_toml(each)}\n" for key, each in value.items())
            tables.append(f"\n[{item.name}]\n{rows}")
        else:
            plain.append(f"{item.name} = {_toml(value)}\n")
    return "".join(plain + tables)


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else json.dumps(name)


def _toml(value: Any) -> str:
    if isinstance(value, (tuple, list)):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    # JSON's strings, numbers and booleans are TOML's too.
    return json.dumps(value, ensure_ascii=False)
