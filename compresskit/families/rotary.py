"""Encoders with rotated positions and norms behind their sub-layers: Nomic BERT, GTE, Jina embeddings 3.

Jina's units have no gates.
"""

from __future__ import annotations

from collections.abc import Mapping

from compresskit.families.base import APART, FIRST, GATED, UP, ZERO, ZERO_PAIR, Block, Family


def _rotary(
    model_type: str,
    stem: str,
    once_linears: tuple[str, ...],
    *,
    reads: Mapping[str, tuple[str, ...]] = GATED,
    writes: str = "mlp.down_proj",
    segments: bool = False,
) -> Family:
    return Family(
        model_type=model_type,
        stem=stem,
        attention=Block(
            reads=APART,
            writes="self_attn.o_proj",
            owns=("self_attn.", "post_attention_layernorm."),
            empty={"self_attn": ZERO_PAIR, "post_attention_layernorm": FIRST},
        ),
        feed_forward=Block(
            reads=reads,
            writes=writes,
            owns=("mlp.", "post_mlp_layernorm."),
            empty={"mlp": ZERO, "post_mlp_layernorm": FIRST},
        ),
        once_linears=once_linears,
        inputs=("input_ids", "attention_mask", *(("token_type_ids",) if segments else ())),
        rotary=True,
    )


NOMIC = _rotary("nomic_bert", "nomic_bert.layers", ("nomic_bert.pooler.dense", "classifier"), segments=True)
GTE = _rotary("gte", "gte.layers", ("gte.pooler.dense", "classifier"))
JINA = _rotary(
    "jina_embeddings_v3",
    "roberta.layers",
    ("classifier.dense", "classifier.out_proj"),
    reads={"mlp.fc1": (UP,)},
    writes="mlp.fc2",
)

FAMILIES = (NOMIC, GTE, JINA)
