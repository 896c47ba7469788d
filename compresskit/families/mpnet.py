"""MPNet: BERT's layers, whose scores share a bias by distance; positions come behind padding id 1.

The table of biases has a column a head, of all layers. What a layer's heads are added is theirs alone.
"""

from __future__ import annotations

from compresskit.families.base import (
    FIRST,
    FIRST_PAIR,
    KEY,
    QUERY,
    SECOND,
    UP,
    VALUE,
    Block,
    Family,
    ToldHeads,
)

MPNET = Family(
    model_type="mpnet",
    stem="mpnet.encoder.layer",
    attention=Block(
        reads={"attention.attn.q": (QUERY,), "attention.attn.k": (KEY,), "attention.attn.v": (VALUE,)},
        writes="attention.attn.o",
        owns=("attention.",),
        empty={"attention": FIRST_PAIR},
        told=ToldHeads("attention.attn", width="all_head_size", shared=2),
    ),
    feed_forward=Block(
        reads={"intermediate.dense": (UP,)},
        writes="output.dense",
        owns=("intermediate.", "output."),
        empty={"intermediate": FIRST, "output": SECOND},
    ),
    once_linears=("classifier.dense", "classifier.out_proj"),
    positions_after_padding=True,
    padding_id=1,
)

FAMILIES = (MPNET,)
