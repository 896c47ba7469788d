"""The methods by their names. Imports all of them: what needs the names alone takes `names`."""

from __future__ import annotations

from compresskit.methods import alone, block, depth, gradual, nas, retraining_free, standard_nas
from compresskit.methods.base import Method
from compresskit.methods.names import check_method

METHODS: dict[str, Method] = {
    **alone.METHODS,
    **block.METHODS,
    **depth.METHODS,
    **gradual.METHODS,
    **nas.METHODS,
    **retraining_free.METHODS,
    **standard_nas.METHODS,
}


def make_method(name: str) -> Method:
    """The method of a name. ConfigurationError for another one."""
    check_method(name)
    return METHODS[name]
