"""RoBERTa, XLM-RoBERTa and CamemBERT, which all call their encoder `roberta`, and Data2Vec's for text.

Their forward takes segments too, but none of their tokenizers gives any.
"""

from __future__ import annotations

from compresskit.families.base import bert_like

FAMILIES = tuple(
    bert_like(
        model_type,
        f"{encoder}.encoder.layer",
        ("classifier.dense", "classifier.out_proj"),
        positions_after_padding=True,
    )
    for model_type, encoder in (
        *((name, "roberta") for name in ("roberta", "xlm-roberta", "camembert")),
        ("data2vec-text", "data2vec_text"),
    )
)
