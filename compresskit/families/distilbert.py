"""DistilBERT: the layer itself adds the residuals, so an absent sub-layer returns zero."""

from __future__ import annotations

from compresskit.families.base import FIRST, KEY, QUERY, UP, VALUE, ZERO, ZERO_PAIR, Block, Family

DISTILBERT = Family(
    model_type="distilbert",
    stem="distilbert.transformer.layer",
    attention=Block(
        reads={"attention.q_lin": (QUERY,), "attention.k_lin": (KEY,), "attention.v_lin": (VALUE,)},
        writes="attention.out_lin",
        owns=("attention.", "sa_layer_norm."),
        empty={"attention": ZERO_PAIR, "sa_layer_norm": FIRST},
    ),
    feed_forward=Block(
        reads={"ffn.lin1": (UP,)},
        writes="ffn.lin2",
        owns=("ffn.", "output_layer_norm."),
        empty={"ffn": ZERO, "output_layer_norm": FIRST},
    ),
    once_linears=("pre_classifier", "classifier"),
)

FAMILIES = (DISTILBERT,)
