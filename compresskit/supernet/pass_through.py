"""What stands where a sub-layer is gone."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from compresskit.families import base


class PassThrough(nn.Module):
    """Stands where a sub-layer has neither heads nor units and returns what `rule` says."""

    def __init__(self, rule: str) -> None:
        super().__init__()
        self.rule = rule

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        match self.rule:
            case base.FIRST:
                return args[0] if args else next(iter(kwargs.values()))
            case base.SECOND:
                return args[1]
            case base.FIRST_PAIR:
                return args[0] if args else kwargs["hidden_states"], None
            case base.ZERO:
                return _zero(*args, *kwargs.values())
            case base.ZERO_PAIR:
                return _zero(*args, *kwargs.values()), None
        raise AssertionError(self.rule)


def _zero(first: torch.Tensor, *_: Any) -> torch.Tensor:
    """One number: a residual is added to it, and dropout wants a tensor."""
    return first.new_zeros(())


def sub_layer(model: nn.Module, name: str) -> nn.Module | None:
    """The module of that name, or None where it or what holds it was replaced by a pass-through."""
    module = model
    for part in name.split("."):
        if isinstance(module, PassThrough):
            return None
        module = module.get_submodule(part)
    return None if isinstance(module, PassThrough) else module
