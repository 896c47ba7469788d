from __future__ import annotations

import gc
import weakref

import torch
from torch import nn

from compresskit.supernet.mask_slopes import mask_slopes
from compresskit.training.stages import batch_loss, sample_batches
from tests.training.make import make_model, make_task


def test_what_a_batch_computed_is_gone_with_it() -> None:
    model = make_model().eval()
    projection = model.get_submodule("bert.encoder.layer.0.output.dense")
    batches = sample_batches(make_task(24), batch_size=8, seed=0)
    fed: list[weakref.ref[torch.Tensor]] = []

    def note(module: nn.Module, inputs: tuple[torch.Tensor]) -> None:
        fed.append(weakref.ref(inputs[0]))

    projection.register_forward_pre_hook(note)
    gc.collect()
    gc.disable()  # what only the search for cycles finds stays for long where few objects are made
    try:
        for count, slopes in mask_slopes(model, {0: (projection, 1)}, batches, batch_loss(make_task().kind)):
            assert slopes[0].shape == (count, model.config.intermediate_size)  # type: ignore[union-attr]
    finally:
        gc.enable()
    assert len(fed) == 3
    assert [value() for value in fed] == [None] * 3
