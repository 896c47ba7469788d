"""The fields of a job: profile, session and limits, within what the agent permits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from compresskit.errors import ConfigurationError
from compresskit.target.agent.limits import Limits, check_profile, check_session
from compresskit.target.agent.protocol import Request
from compresskit.target.base import SessionSettings
from compresskit.target.decide import Limit
from compresskit.target.profile import Profile

_MOST_LIMITS = 16


def read_limits(values: Any) -> list[Limit]:
    """What a comparison is to decide. Raises ConfigurationError for too many."""
    if len(values) > _MOST_LIMITS:
        raise ConfigurationError(f"{len(values)} limits; permitted: {_MOST_LIMITS} at most.")
    return [Limit(str(each["figure"]), float(each["value"])) for each in values]


def read_settings(fields: Mapping[str, Any], limits: Limits) -> tuple[Profile, SessionSettings | None]:
    """The profile and session that a job asks for, within what is permitted here."""
    profile = Profile.from_json(fields["profile"])
    if (profile.address, profile.token_file, profile.certificate_file) != (None, None, None):
        raise ConfigurationError("a job's profile has no address and no files.")
    check_profile(profile, limits)
    session = None if fields.get("session") is None else SessionSettings.from_json(fields["session"])
    if session is not None:
        check_session(session)
    return profile, session


def expect(request: Request, *, fields: set[str], parts: set[str], needed: set[str]) -> None:
    """Raise ConfigurationError for fields or parts that this kind of job has not."""
    if not set(request.fields) <= fields or not needed <= set(request.parts) <= parts:
        raise ConfigurationError(
            f"the job has fields {sorted(request.fields)} and parts {sorted(request.parts)}; "
            f"permitted: {sorted(fields)} and {sorted(parts)}."
        )
