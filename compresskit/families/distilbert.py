"""DistilBERT: the layer itself adds the residuals, so an absent sub-layer returns zero."""

from __future__ import annotations

from compresskit.families.base import FIRST, ZERO, ZERO_PAIR, Family

DISTILBERT = Family(
    model_type="distilbert",
    stem="distilbert.transformer.layer",
    query="attention.q_lin",
    key="attention.k_lin",
    value="attention.v_lin",
    attention_output="attention.out_lin",
    up="ffn.lin1",
    down="ffn.lin2",
    attention=("attention.", "sa_layer_norm."),
    feed_forward=("ffn.", "output_layer_norm."),
    without_heads={"attention": ZERO_PAIR, "sa_layer_norm": FIRST},
    without_units={"ffn": ZERO, "output_layer_norm": FIRST},
    once_linears=("pre_classifier", "classifier"),
)

FAMILIES = (DISTILBERT,)
