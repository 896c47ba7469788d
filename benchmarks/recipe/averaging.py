"""A moving average of the weights, which is what training leaves behind."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import nn
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

_FILE = "average.safetensors"


class WeightAverage(TrainerCallback):  # type: ignore[misc]
    """Exponential moving average of the trained parameters, put in place at the last step.

    The decay grows from 0.1 as `(1 + step) / (10 + step)` up to `decay`, so that the first weights
    are soon forgotten. Checkpoints keep the average, so that a resumed run ends where an unbroken
    one does.
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.decay = decay
        self._parameters = {name: p for name, p in model.named_parameters() if p.requires_grad}
        self._mean: list[torch.Tensor] = []

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        stored = self._folder(args, state) / _FILE
        if state.global_step and stored.exists():
            found = load_file(stored)
            self._mean = [found[name].to(p.device) for name, p in self._parameters.items()]
        else:
            self._mean = [p.detach().clone() for p in self._parameters.values()]

    @torch.no_grad()
    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        values = [p.detach() for p in self._parameters.values()]
        decay = min(self.decay, (1 + state.global_step) / (10 + state.global_step))
        torch._foreach_lerp_(self._mean, values, 1 - decay)
        if state.global_step >= state.max_steps:
            torch._foreach_copy_(values, self._mean)

    def on_save(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        if state.is_world_process_zero:
            named = dict(zip(self._parameters, self._mean, strict=True))
            save_file(named, self._folder(args, state) / _FILE)

    def _folder(self, args: TrainingArguments, state: TrainerState) -> Path:
        return Path(args.output_dir) / f"checkpoint-{state.global_step}"
