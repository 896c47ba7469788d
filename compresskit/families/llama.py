"""Llama and what has its shape, whose queries share keys and values in groups: decoders, and EuroBERT.

A member of attention is a whole group. Of the units `gate_proj` is activated, and `up_proj` is what that is
multiplied with.
"""

from __future__ import annotations

from compresskit.families.base import (
    FIRST,
    GATE,
    KEY,
    QUERY,
    UP,
    VALUE,
    ZERO,
    ZERO_PAIR,
    Block,
    Family,
)


def _llama_like(
    model_type: str, *, layer_lists: tuple[str, ...] = (), head: tuple[str, ...] = ("score",)
) -> Family:
    """`head`: Linear layers of classifiers; the one of decoders is applied to a text's last token."""
    return Family(
        model_type=model_type,
        stem="model.layers",
        attention=Block(
            reads={
                "self_attn.q_proj": (QUERY,),
                "self_attn.k_proj": (KEY,),
                "self_attn.v_proj": (VALUE,),
            },
            writes="self_attn.o_proj",
            owns=("self_attn.", "input_layernorm."),
            empty={"self_attn": ZERO_PAIR, "input_layernorm": FIRST},
            norm_before="input_layernorm",
        ),
        feed_forward=Block(
            reads={"mlp.gate_proj": (UP,), "mlp.up_proj": (GATE,)},
            writes="mlp.down_proj",
            owns=("mlp.", "post_attention_layernorm."),
            empty={"mlp": ZERO, "post_attention_layernorm": FIRST},
            norm_before="post_attention_layernorm",
        ),
        once_linears=head,
        last_token_head=head[0] if len(head) == 1 else "",
        rotary=True,
        layer_lists=layer_lists,
    )


LLAMA = _llama_like("llama")
QWEN2 = _llama_like("qwen2", layer_lists=("layer_types",))
QWEN3 = _llama_like("qwen3", layer_lists=("layer_types",))
MISTRAL = _llama_like("mistral")
MINISTRAL = _llama_like("ministral", layer_lists=("layer_types",))
EUROBERT = _llama_like("eurobert", head=("dense", "classifier"))  # reads both ways

FAMILIES = (LLAMA, QWEN2, QWEN3, MISTRAL, MINISTRAL, EUROBERT)
