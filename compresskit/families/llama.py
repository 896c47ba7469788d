"""Llama and what has its shape, whose queries share keys and values in groups: decoders, and EuroBERT.

A member of attention is a whole group.
"""

from __future__ import annotations

from compresskit.families.base import APART, FIRST, GATED, ZERO, ZERO_PAIR, Block, Family


def _llama_like(
    model_type: str,
    *,
    layer_lists: tuple[str, ...] = (),
    head: tuple[str, ...] = ("score",),
    is_causal: bool = True,
) -> Family:
    """`head`: Linear layers of classifiers; a causal model applies its one to a text's last token."""
    return Family(
        model_type=model_type,
        stem="model.layers",
        attention=Block(
            reads=APART,
            writes="self_attn.o_proj",
            owns=("self_attn.", "input_layernorm."),
            empty={"self_attn": ZERO_PAIR, "input_layernorm": FIRST},
            norm_before="input_layernorm",
        ),
        feed_forward=Block(
            reads=GATED,
            writes="mlp.down_proj",
            owns=("mlp.", "post_attention_layernorm."),
            empty={"mlp": ZERO, "post_attention_layernorm": FIRST},
            norm_before="post_attention_layernorm",
        ),
        once_linears=head,
        last_token_head=head[0] if is_causal else "",
        rotary=True,
        layer_lists=layer_lists,
    )


LLAMA = _llama_like("llama")
QWEN2 = _llama_like("qwen2", layer_lists=("layer_types",))
QWEN3 = _llama_like("qwen3", layer_lists=("layer_types",))
MISTRAL = _llama_like("mistral")
MINISTRAL = _llama_like("ministral", layer_lists=("layer_types",))
EUROBERT = _llama_like("eurobert", head=("dense", "classifier"), is_causal=False)

FAMILIES = (LLAMA, QWEN2, QWEN3, MISTRAL, MINISTRAL, EUROBERT)
