"""ModernBERT: fused queries, keys and values, gated units, norms before, local and global attention.

`Wqkv` holds all queries, all keys, all values; `Wi` what is activated, then what that is multiplied with.
Layer 0 has no norm before its attention: what is left of a model without it loads in `load_pruned` alone.
"""

from __future__ import annotations

from compresskit.families.base import FIRST, GATE, KEY, QUERY, UP, VALUE, ZERO, ZERO_PAIR, Block, Family

MODERNBERT = Family(
    model_type="modernbert",
    stem="model.layers",
    attention=Block(
        reads={"attn.Wqkv": (QUERY, KEY, VALUE)},
        writes="attn.Wo",
        owns=("attn.", "attn_norm."),
        empty={"attn": ZERO_PAIR, "attn_norm": FIRST},
        norm_before="attn_norm",
    ),
    feed_forward=Block(
        reads={"mlp.Wi": (UP, GATE)},
        writes="mlp.Wo",
        owns=("mlp.", "mlp_norm."),
        empty={"mlp": ZERO, "mlp_norm": FIRST},
        norm_before="mlp_norm",
    ),
    once_linears=("head.dense", "classifier"),
    rotary=True,
    layer_lists=("layer_types",),
)

FAMILIES = (MODERNBERT,)
