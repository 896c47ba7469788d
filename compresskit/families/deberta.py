"""DeBERTa-v2 and v3: BERT's layers, whose scores are also by distance (He et al. 2021, arXiv 2006.03654).

Version 3 sends the embeddings of distances through the projections of queries and keys, version 2 may have
projections of their own for them. A layer asks an attribute how many heads it has.
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
    Distances,
    Family,
)

DEBERTA = Family(
    model_type="deberta-v2",
    stem="deberta.encoder.layer",
    attention=Block(
        reads={
            "attention.self.value_proj": (VALUE,),
            "attention.self.query_proj": (QUERY,),
            "attention.self.key_proj": (KEY,),
        },
        writes="attention.output.dense",
        owns=("attention.",),
        empty={"attention": FIRST_PAIR},
        count="attention.self.num_attention_heads",
        distances=Distances(
            "deberta.encoder.rel_embeddings",
            reads={"attention.self.pos_key_proj": (KEY,), "attention.self.pos_query_proj": (QUERY,)},
        ),
    ),
    feed_forward=Block(
        reads={"intermediate.dense": (UP,)},
        writes="output.dense",
        owns=("intermediate.", "output."),
        empty={"intermediate": FIRST, "output": SECOND},
    ),
    once_linears=("pooler.dense", "classifier"),
    token_linears=("deberta.embeddings.embed_proj",),
    needs={"conv_kernel_size": 0},  # a convolution would follow whichever layer comes first
)

FAMILIES = (DEBERTA,)
