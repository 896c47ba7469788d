"""References that stay loaded beside the candidates, and their levels."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path

import numpy as np

from compresskit.target.base import Model, SessionSettings
from compresskit.target.child import Child
from compresskit.target.profile import Profile
from compresskit.target.reference_graphs import default_reference, large_reference, reference_for
from compresskit.target.reference_level import NOISE, Baselines, fingerprint
from compresskit.target.session import session_spec
from compresskit.target.timer import calibrate, warm_up

OWN = "own reference"


@dataclass(frozen=True)
class Reference:
    """A graph in its slot; `key` is its fingerprint, under which its level is kept."""

    slot: str
    key: str
    model: Model


@cache
def built_in() -> tuple[Reference, ...]:
    graphs = {"reference": default_reference(), "large reference": large_reference()}
    return tuple(Reference(slot, fingerprint(graph), graph) for slot, graph in graphs.items())


class References:
    """Those of one profile. Levels are taken when first needed, of all built-in ones together."""

    def __init__(self, profile: Profile, baselines: Baselines, cache: Path | None) -> None:
        self._profile, self._baselines, self._cache = profile, baselines, cache
        self._loaded: dict[str, tuple[int, str]] = {}  # by slot, the worker and the key
        self._warm_ms: dict[str, float] = {}  # by slot
        self._own_ms: dict[str, float] = {}  # by key, of references that callers brought

    def choose(
        self,
        child: Child,
        given: Model | None,
        weight_bytes: int,
        session: SessionSettings | None = None,
    ) -> Reference:
        """`given`, or the built-in one for a candidate with so many bytes of weights; ready in its slot.

        `session` is that of a given one, whose level is the lowest state that measurements beside it meet.
        """
        if given is None:
            together = built_in()
            suits = reference_for(weight_bytes)
            chosen = next(each for each in together if each.model is suits)
        else:
            text = json.dumps((session or SessionSettings()).to_json(), sort_keys=True)
            key = f"{fingerprint(given)}-{sha256(text.encode()).hexdigest()[:8]}"
            self._load(child, own := Reference(OWN, key, given), session)
            return own
        if any(self._baselines.get(each.key) is None for each in together):
            self._take_levels(child, together)
        self._load(child, chosen)
        return chosen

    def level_ms(self, reference: Reference) -> float:
        """Its level, or about what it takes where measurements beside it have yet to tell."""
        if reference.slot == OWN:
            return self._own_ms.get(reference.key, self._warm_ms[OWN])
        level_ms = self._baselines.get(reference.key)
        assert level_ms is not None
        return level_ms

    def met(self, reference: Reference, lowest_ms: float) -> float:
        """The level, once a measurement beside it has met a state in which it takes `lowest_ms`."""
        if reference.slot != OWN:
            return self._baselines.lowest(reference.key, lowest_ms)
        known = self._own_ms.setdefault(reference.key, lowest_ms)
        if lowest_ms < known * (1 - NOISE):
            self._own_ms[reference.key] = lowest_ms
        return self._own_ms[reference.key]

    def levels_ms(self) -> dict[str, float]:
        """By key, the levels of the built-in ones."""
        found = {each.key: self._baselines.get(each.key) for each in built_in()}
        return {key: level_ms for key, level_ms in found.items() if level_ms is not None}

    def _load(self, child: Child, reference: Reference, session: SessionSettings | None = None) -> None:
        if self._loaded.get(reference.slot) == (child.pid, reference.key):
            return
        self._loaded.pop(reference.slot, None)
        spec = session_spec(reference.model, self._profile, session, cache=self._cache)
        if spec.threads > 1:
            # Its idle threads would spin beside the candidate's.
            spec = spec.with_entry("session.force_spinning_stop", "1")
        child.load(reference.slot, reference.model, spec)
        self._loaded[reference.slot] = (child.pid, reference.key)
        self._warm_ms[reference.slot] = warm_up(child.run, reference.slot, self._profile)

    def _take_levels(self, child: Child, together: Sequence[Reference]) -> None:
        for each in together:
            self._load(child, each)
        found = calibrate(child.run, self._profile, [each.slot for each in together])
        # A level that is known already says in which state of the machine the others are wanted.
        known = [self._baselines.get(each.key) for each in together]
        states = [np.log(level / now) for level, now in zip(known, found, strict=True) if level is not None]
        carried = float(np.exp(np.mean(states))) if states else 1.0
        for each, level, now in zip(together, known, found, strict=True):
            if level is None:
                self._baselines.put(each.key, now * carried)
