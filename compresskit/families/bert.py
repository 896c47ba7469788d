"""BERT, ELECTRA and ERNIE."""

from __future__ import annotations

from compresskit.families.base import bert_like

FAMILIES = (
    bert_like("bert", "bert.encoder.layer", ("bert.pooler.dense", "classifier"), segments=True),
    bert_like(
        "electra",
        "electra.encoder.layer",
        ("classifier.dense", "classifier.out_proj"),
        ("electra.embeddings_project",),
        segments=True,
    ),
    bert_like("ernie", "ernie.encoder.layer", ("ernie.pooler.dense", "classifier"), segments=True),
)
