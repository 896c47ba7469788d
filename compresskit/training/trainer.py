"""Training of several sub-networks of shared weights, on transformers' Trainer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from torch import nn
from transformers import PrinterCallback, Trainer, TrainerCallback

from compresskit.errors import CompresskitError, ConfigurationError
from compresskit.exhausted import is_disk_full
from compresskit.runs.atomic import write_error
from compresskit.supernet.attention import quick_gradients
from compresskit.supernet.batching import Batch, labelled_batch
from compresskit.supernet.network import SuperNetwork
from compresskit.supernet.output import said
from compresskit.tasks.task import Split, Task
from compresskit.training.batching import LengthSampler
from compresskit.training.checkpoints import last_complete_checkpoint, remove_incomplete
from compresskit.training.cost import lessons_at, step_cost
from compresskit.training.losses import consistency_loss, label_loss, logit_loss, score_loss, vector_loss
from compresskit.training.memory import Answers, TeacherMemory
from compresskit.training.recipe import Recipe, arguments_of
from compresskit.training.strategies import FROM_FULL, FROM_LABELS, FROM_TEACHER, FROM_TWIN, Lesson, Strategy

Penalty = Callable[[int, int], torch.Tensor]
"""(step, steps that are planned) -> what is added to the loss of the shared weights; not reported with it."""


class RowNumbers(torch.utils.data.Dataset[int]):
    """Numbers of a split's rows: a batch is made of several at once."""

    def __init__(self, split: Split) -> None:
        self.split = split

    def __len__(self) -> int:
        return len(self.split)

    def __getitem__(self, index: int) -> int:
        return index


class SuperNetTrainer(Trainer):  # type: ignore[misc]
    """Trains a super-network by a strategy.

    A sub-network's forward goes past a distributed wrapper, so gradients are averaged over the
    ranks once an update, after its last backward.
    """

    def __init__(
        self,
        supernet: SuperNetwork,
        strategy: Strategy,
        recipe: Recipe,
        task: Task,
        folder: Path,
        *,
        teacher: nn.Module | None = None,
        callbacks: list[TrainerCallback] | None = None,
        penalty: Penalty | None = None,
        memory: TeacherMemory | None = None,
    ) -> None:
        if strategy.needs_teacher and teacher is None:
            raise ValueError(f"strategy {strategy.name!r} needs a teacher")
        self.supernet = supernet
        self.strategy = strategy
        self.recipe = recipe
        self.task = task
        self.teacher = teacher.eval() if teacher is not None else None
        self.penalty = penalty
        self.memory = TeacherMemory() if memory is None else memory
        split = task.train
        super().__init__(
            model=supernet,
            args=arguments_of(recipe, folder, len(split)),
            train_dataset=RowNumbers(split),
            data_collator=self._batch,
            callbacks=callbacks,
        )
        self._losses: list[torch.Tensor] = []
        self._cost: float | None = None
        self.remove_callback(PrinterCallback)  # it prints on stdout
        if self.teacher is not None:
            self.teacher.to(self.args.device)
            self.memory.begin(self.teacher)

    def _batch(self, numbers: list[int]) -> Batch:
        return labelled_batch(self.task.inputs, self.task.kind, *self.task.train.labelled(numbers))

    def _get_train_sampler(self, train_dataset: Any = None) -> LengthSampler:
        return LengthSampler(
            self.task.lengths(self.task.train).tolist(), self.args.train_batch_size, self.recipe.seed
        )

    def training_step(
        self,
        model: nn.Module,
        inputs: dict[str, Any],
        num_items_in_batch: torch.Tensor | int | None = None,
    ) -> torch.Tensor:
        """Backward of every lesson of this step; the mean of their losses is returned."""
        supernet = self.accelerator.unwrap_model(model, keep_torch_compile=False)
        supernet.train()
        batch = self._prepare_inputs(inputs)
        labels = batch.pop("labels")
        step = self.state.global_step
        lessons = self._lessons(step)
        if self._cost is None:  # what a resumed run has spent before
            self._cost = sum(step_cost(supernet.blueprint, self._lessons(i)) for i in range(step))
        self._cost += step_cost(supernet.blueprint, lessons)
        taught = any(lesson.source == FROM_TEACHER for lesson in lessons)
        reference = self.memory.answers(batch, self.task.inputs, self._ask_teacher) if taught else None
        total = torch.zeros((), device=self.args.device)
        for lesson in lessons:
            architecture = None if lesson.is_full else lesson.architecture
            rows, wanted = batch, labels
            if lesson.source == FROM_TWIN:
                rows = {name: torch.cat([value] * 2) for name, value in batch.items()}
                wanted = torch.cat([labels] * 2)
            output = supernet(architecture, **rows, output_hidden_states=taught)
            loss = self._loss(lesson, output, wanted, reference, rows)
            self.accelerator.backward(loss)
            total += loss.detach()
            if self.strategy.apart and lesson is not lessons[-1]:
                self._update(supernet)
            if lesson.is_full and not taught:
                reference = Answers(said(output).detach())
        if self.penalty is not None:
            self.accelerator.backward(self.penalty(step, self.state.max_steps))
        _average_gradients(supernet)
        mean = total / len(lessons)
        self._losses.append(mean)
        return mean

    def _update(self, supernet: nn.Module) -> None:
        """An optimizer step within a step; the last one, and the learning rate's, is Trainer's own."""
        _average_gradients(supernet)
        self.accelerator.clip_grad_norm_(supernet.parameters(), self.args.max_grad_norm)
        self.optimizer.step()
        supernet.zero_grad()

    def take_mean_loss(self) -> float | None:
        """Mean loss of the steps since this was last asked; None when there was no step."""
        losses, self._losses = self._losses, []
        return torch.stack(losses).mean().item() if losses else None

    @property
    def full_steps(self) -> float:
        """What training has cost so far, in steps of the full network."""
        return self._cost or 0.0

    def _lessons(self, step: int) -> list[Lesson]:
        return lessons_at(self.strategy, self.recipe.seed, step, self.state.max_steps)

    def _ask_teacher(self, batch: Mapping[str, torch.Tensor]) -> Any:
        assert self.teacher is not None
        # Trainer has the pupil's forward in mixed precision, and knows of no other model.
        with torch.no_grad(), self.accelerator.autocast():
            output = self.teacher(**batch, output_hidden_states=True)
        if output.hidden_states is None:
            raise ConfigurationError(
                f"{type(self.teacher).__name__} gives no hidden states, which its sub-networks learn to "
                "follow; let it return them with output_hidden_states (docs/own-family.md)."
            )
        return output

    def _loss(
        self, lesson: Lesson, output: Any, targets: torch.Tensor, reference: Answers | None, batch: Batch
    ) -> torch.Tensor:
        kind = self.task.kind
        logits, labels = kind.compared(said(output), targets)
        from_labels = 0 * logits.float().sum() if kind.is_taught else label_loss(logits, labels)
        if lesson.source == FROM_LABELS:
            return from_labels
        if lesson.source == FROM_TWIN:
            return from_labels + consistency_loss(logits, regression=kind.is_regression)
        assert reference is not None
        wanted = kind.compared(reference.said, targets)[0]
        if kind.is_vector:
            taught = vector_loss(logits, wanted)
        elif kind.is_ranking:
            taught = score_loss(logits, wanted)
        else:
            taught = logit_loss(logits, wanted, self.recipe.temperature, regression=kind.is_regression)
        if lesson.source == FROM_FULL:
            return from_labels + taught
        asked = self.recipe.distillation.at(self.state.global_step / max(1, self.state.max_steps))
        states = output.hidden_states, reference.hidden_states
        inputs, last = self.task.inputs, output.hidden_states[-1]
        mask = inputs.real(batch) if inputs.mask else last.new_ones(last.shape[:2], dtype=torch.int64)
        of_states = asked.of_states(*states, lesson.architecture, mask)
        return asked.labels * from_labels + asked.logits * taught + of_states

    def run(self, *, resume: bool = False) -> None:
        """Train to the end, from the last checkpoint when `resume` and there is one.

        Raises DiskFullError when a checkpoint finds no room; the one before it stays.
        """
        folder = Path(self.args.output_dir)
        checkpoint = last_complete_checkpoint(folder) if resume else None
        try:
            with quick_gradients(self.supernet, self.task.lengths(self.task.train)):
                self.train(resume_from_checkpoint=None if checkpoint is None else str(checkpoint))
        except Exception as error:
            if isinstance(error, CompresskitError) or not is_disk_full(error):
                raise
            remove_incomplete(folder)
            raise write_error(folder, error) from error


def _average_gradients(model: nn.Module) -> None:
    if not (dist.is_available() and dist.is_initialized() and dist.get_world_size() > 1):
        return
    gradients = [p.grad for p in model.parameters() if p.grad is not None]
    flat = torch.cat([gradient.reshape(-1) for gradient in gradients])
    dist.all_reduce(flat)
    flat /= dist.get_world_size()
    for gradient, mean in zip(gradients, torch.split(flat, [g.numel() for g in gradients]), strict=True):
        gradient.copy_(mean.view_as(gradient))
