"""The variant for each model and profile, found as a search finds it: once, on the dense graph."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from benchmarks.engine.models import Family
from compresskit.engine.variants import Variant, variant_named
from compresskit.pipeline.evaluation.variant_choice import FP32, find_variant, limit_of
from compresskit.target.open import open_target
from compresskit.target.profile import Profile, load_profile


def profile_of(threads: int, length: int, seconds: float) -> Profile:
    """`cpu-1-thread` with other threads and length; at most `seconds` an engine."""
    base = load_profile("cpu-1-thread")
    return base.with_(
        name=f"{threads} threads, {length} tokens", threads=threads, length=length, max_seconds=seconds
    )


def chosen_variant(family: Family, profile: Profile, work: Path) -> Variant:
    """The fastest form and session, kept in `work`."""
    path = work / "choices.json"
    known = all_choices(work)
    key = f"{family.name}, {profile.name}"
    if key not in known:
        print(f"choosing a variant: {key}", file=sys.stderr, flush=True)
        dense = family.slicer.slice(family.slicer.full)
        with open_target(profile) as target:
            known[key] = find_variant(target, profile, dense, FP32, limit_of(target)).name
        path.write_text(json.dumps(known, indent=1))
    return variant_named(known[key])


def all_choices(work: Path) -> dict[str, str]:
    """Names of the variants chosen so far, by model and profile."""
    path = work / "choices.json"
    found: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
    return found
