"""RoBERTa, XLM-RoBERTa and CamemBERT: all call their encoder `roberta`.

Their forward takes segments too, but none of their tokenizers gives any.
"""

from __future__ import annotations

from compresskit.families.base import bert_like

FAMILIES = tuple(
    bert_like(
        model_type,
        "roberta.encoder.layer",
        ("classifier.dense", "classifier.out_proj"),
        positions_after_padding=True,
    )
    for model_type in ("roberta", "xlm-roberta", "camembert")
)
