"""Where latency is measured: ONNX Runtime under a profile, on this machine or through an agent."""

from compresskit.target.base import LatencyTarget, Measurement, SessionSettings
from compresskit.target.open import open_target
from compresskit.target.profile import Profile, list_profiles, load_profile

__all__ = [
    "LatencyTarget",
    "Measurement",
    "Profile",
    "SessionSettings",
    "list_profiles",
    "load_profile",
    "open_target",
]
