"""A small ModernBERT, drawn at random but for its word embeddings, that a fine-tuned BERT teaches."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn
from transformers import ModernBertConfig, ModernBertForSequenceClassification

from benchmarks.modernbert.texts import batches_of
from compresskit.inputs import InputSpec, Row
from compresskit.supernet.batching import batch_of
from compresskit.training.losses import hidden_loss, label_loss, logit_loss
from compresskit.training.recipe import quick_forward

SIZES: dict[str, Any] = {
    "num_hidden_layers": 6,
    "num_attention_heads": 12,
    "intermediate_size": 576,
    "local_attention": 16,  # 8 tokens to each side: texts are longer
    "global_attn_every_n_layers": 3,
    "classifier_pooling": "mean",
}
UNKNOWN = -1  # label of an unlabelled row
STEPS = 1000
BATCH, RATE, TEMPERATURE = 64, 1e-3, 2.0
SAVE_SECONDS = 60.0


@dataclass(frozen=True)
class Lesson:
    """Encoded rows and their labels, `UNKNOWN` where there is none."""

    rows: Sequence[Row]
    labels: list[int]
    inputs: InputSpec


def drawn_student(teacher: Any, tokenizer: Any, seed: int = 0) -> Any:
    """A ModernBERT as wide as `teacher`, with its word embeddings and the names of its classes."""
    torch.manual_seed(seed)
    config = ModernBertConfig(
        vocab_size=teacher.config.vocab_size,
        hidden_size=teacher.config.hidden_size,
        max_position_embeddings=teacher.config.max_position_embeddings,
        id2label=teacher.config.id2label,
        label2id=teacher.config.label2id,
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=tokenizer.cls_token_id,
        cls_token_id=tokenizer.cls_token_id,
        eos_token_id=tokenizer.sep_token_id,
        sep_token_id=tokenizer.sep_token_id,
        **SIZES,
    )
    student = ModernBertForSequenceClassification(config)
    taught = teacher.bert.embeddings
    with torch.no_grad():
        words = taught.word_embeddings.weight + taught.token_type_embeddings.weight[0]
        student.model.embeddings.tok_embeddings.weight.copy_(words)
    return student


def train_student(
    student: Any,
    teacher: nn.Module,
    lesson: Lesson,
    steps: int,
    state: Path,
    say: Callable[[str], None],
    *,
    seconds: float,
    seed: int = 0,
) -> bool:
    """Train `student` in place for `steps`; True once done.

    Its hidden states, layer by layer, and its logits follow the teacher's; labels count where there are
    some. After `seconds`, and each minute, the state goes to `state`, from where another call goes on.
    """
    student.model.embeddings.requires_grad_(False)
    trained = [value for value in student.parameters() if value.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=RATE, weight_decay=0.01, fused=True)
    warmup = max(steps // 20, 1)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min((step + 1) / warmup, (steps - step) / (steps - warmup))
    )
    first = 0
    if state.exists():
        held = torch.load(state, weights_only=True)
        student.load_state_dict(held["model"])
        optimizer.load_state_dict(held["optimizer"])
        schedule.load_state_dict(held["schedule"])
        first = held["step"]
    start = saved = time.monotonic()
    batches = batches_of(lesson.inputs.lengths(lesson.rows).tolist(), BATCH, seed)
    student.train()
    teacher.eval()
    for step in range(steps):
        chosen = next(batches)
        if step < first:
            continue
        loss = _loss(student, teacher, lesson, chosen)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(trained, 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
        now, last = time.monotonic(), step + 1 == steps
        if now - saved > SAVE_SECONDS or now - start > seconds or last:
            say(f"student: step {step + 1} of {steps}, loss {loss.item():.3f}, {now - start:.0f} s")
            parts = {"model": student, "optimizer": optimizer, "schedule": schedule}
            held = {name: part.state_dict() for name, part in parts.items()}
            torch.save({**held, "step": step + 1}, state.with_suffix(".part"))
            state.with_suffix(".part").replace(state)
            saved = now
            if now - start > seconds:
                return last
    return True


def _loss(student: Any, teacher: Any, lesson: Lesson, chosen: list[int]) -> torch.Tensor:
    batch = batch_of(lesson.inputs, [lesson.rows[i] for i in chosen])
    labels = torch.tensor([lesson.labels[i] for i in chosen])
    with quick_forward(labels.device):
        with torch.inference_mode():
            wanted = teacher(**batch, output_hidden_states=True)
        batch.pop("token_type_ids", None)
        found = student(**batch, output_hidden_states=True)
    pairs = [(layer, layer) for layer in range(student.config.num_hidden_layers)]
    loss = hidden_loss(found.hidden_states, wanted.hidden_states, pairs, batch["attention_mask"])
    loss = loss + logit_loss(found.logits, wanted.logits, TEMPERATURE, regression=False)
    known = labels != UNKNOWN
    return (
        loss + label_loss(found.logits[known], labels[known]) * known.float().mean() if known.any() else loss
    )
