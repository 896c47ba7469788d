"""A model's word embeddings cut to the tokens that stay."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from compresskit.errors import EngineError

_IDS = ("pad", "bos", "eos", "cls", "sep", "unk", "mask")


def cut_vocabulary(model: nn.Module, kept: npt.NDArray[np.int64]) -> None:
    """Keep the rows `kept` (old token ids, ascending) of the word embeddings, in place.

    `config.vocab_size` and the ids of special tokens follow. EngineError when the model has fewer rows.
    """
    table: Any = model.get_input_embeddings()  # type: ignore[operator]
    config: Any = model.config
    rows = int(table.weight.shape[0])
    if int(kept[-1]) >= rows:
        raise EngineError(
            f"the tokenizer has a token {int(kept[-1])}, the model only {rows} embeddings; "
            "leave out --trim-vocabulary."
        )
    table.weight = nn.Parameter(table.weight.detach()[torch.from_numpy(kept)].clone())
    table.num_embeddings = len(kept)
    config.vocab_size = len(kept)
    new_ids = {int(old): new for new, old in enumerate(kept)}
    for name in _IDS:
        old = getattr(config, f"{name}_token_id", None)
        if old is not None and old in new_ids:
            setattr(config, f"{name}_token_id", new_ids[old])
    if table.padding_idx is not None:
        table.padding_idx = new_ids[table.padding_idx]
