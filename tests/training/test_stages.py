from __future__ import annotations

import numpy as np
import pytest
import torch

from compresskit.training.stages import batch_loss, sample_batches
from tests.training.make import PAD, make_model, make_split


def test_loss_of_a_batch_is_the_cross_entropy_of_its_labels() -> None:
    model = make_model().eval()
    batches = sample_batches(make_split(20, 0), PAD, batch_size=8, seed=3)
    assert [len(batch["labels"]) for batch in batches] == [8, 8, 4]
    for batch in batches:
        with torch.no_grad():
            found = batch_loss(model, batch)
            output = model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"])
        logits = output.logits.double().numpy()
        likely = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
        wanted = -np.log(likely[np.arange(len(likely)), batch["labels"].numpy()]).mean()
        assert float(found) == pytest.approx(wanted, rel=1e-5)
