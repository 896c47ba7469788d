"""Answers by transformers' pipeline over optimum-onnx: python spans_optimum.py ENGINE ROWS OUTPUT

Its own answers are of at most 15 tokens and widened to whole words, which may add up scores.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from optimum.onnxruntime import ORTModelForQuestionAnswering
from transformers import AutoTokenizer, pipeline

engine, rows, output = map(Path, sys.argv[1:])
model = ORTModelForQuestionAnswering.from_pretrained(engine)
answer = pipeline("question-answering", model=model, tokenizer=AutoTokenizer.from_pretrained(engine))
with output.open("w") as lines:
    for line in rows.read_text().splitlines():
        question, context = json.loads(line)
        found = answer(
            question=question,
            context=context,
            max_answer_len=30,
            max_question_len=256,
            align_to_words=False,
        )
        lines.write(json.dumps({key: found[key] for key in ("answer", "start", "end")}) + "\n")
