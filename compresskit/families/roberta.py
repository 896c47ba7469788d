"""RoBERTa, XLM-RoBERTa and CamemBERT: all call their encoder `roberta`."""

from __future__ import annotations

from compresskit.families.base import bert_like

FAMILIES = tuple(
    bert_like(model_type, "roberta.encoder.layer", ("classifier.dense", "classifier.out_proj"))
    for model_type in ("roberta", "xlm-roberta", "camembert")
)
