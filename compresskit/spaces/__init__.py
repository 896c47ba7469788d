"""Search spaces: which architectures may be proposed, and how they are written as configurations."""

from __future__ import annotations

from compresskit.architecture import Dimensions
from compresskit.errors import ConfigurationError, one_of
from compresskit.spaces.base import Space
from compresskit.spaces.large import LargeSpace
from compresskit.spaces.layer import LayerSpace
from compresskit.spaces.medium import MediumSpace
from compresskit.spaces.parameter import Config, Parameter
from compresskit.spaces.policies import DEFAULT_LAYER_POLICY, LAYER_POLICIES, kept_layers
from compresskit.spaces.precision import PrecisionSpace
from compresskit.spaces.ranked import RankedSpace
from compresskit.spaces.ranking import Ranking
from compresskit.spaces.small import SmallSpace

SPACES: dict[str, type[Space]] = {
    space.name: space for space in (RankedSpace, SmallSpace, MediumSpace, LayerSpace, LargeSpace)
}


def make_space(
    name: str, dims: Dimensions, *, layer_policy: str = DEFAULT_LAYER_POLICY, unit_multiple: int = 1
) -> Space:
    """The space `name` over a model of `dims`.

    `layer_policy` says which layers stay at a given depth (`small`, and the starting points of
    `layer`); `unit_multiple` aligns unit counts. Raises ConfigurationError for a name that is not
    known and for a multiple that does not divide the number of units.
    """
    if name not in SPACES:
        raise ConfigurationError(one_of("space", name, SPACES))
    return SPACES[name](dims, layer_policy=layer_policy, unit_multiple=unit_multiple)


__all__ = [
    "DEFAULT_LAYER_POLICY",
    "LAYER_POLICIES",
    "SPACES",
    "Config",
    "LargeSpace",
    "LayerSpace",
    "MediumSpace",
    "Parameter",
    "PrecisionSpace",
    "RankedSpace",
    "Ranking",
    "SmallSpace",
    "Space",
    "kept_layers",
    "make_space",
]
