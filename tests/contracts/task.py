"""What every task promises. A test class per task subclasses `TaskContract`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from torch import nn
from transformers import BertConfig, set_seed

from compresskit.architecture import Architecture
from compresskit.bundle import Manifest, load_engine
from compresskit.engine.export import export_onnx
from compresskit.engine.folder import write_engine
from compresskit.engine.verify import verify
from compresskit.errors import ConfigurationError, DataError, EngineError
from compresskit.inputs import InputSpec, text_inputs
from compresskit.pruning.reload import load_pruned
from compresskit.supernet.batching import labelled_batch
from compresskit.supernet.classes import class_for
from compresskit.supernet.network import SuperNetwork
from compresskit.supernet.output import said as said_of
from compresskit.supernet.scoring import predict
from compresskit.tasks.changes import changes_of, compare
from compresskit.tasks.intervals import intervals
from compresskit.tasks.registry import task_kinds
from compresskit.tasks.task import Task, load_task
from compresskit.training.losses import consistency_loss, logit_loss, vector_loss
from compresskit.training.memory import TeacherMemory
from compresskit.training.stages import batch_loss
from tests.tasks.make import tokenizer

MAX_LENGTH = 12


def text_model(task: Task) -> nn.Module:
    """A tiny BERT with a random head for the task."""
    set_seed(0)
    config = BertConfig(
        vocab_size=len(tokenizer()),
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=16,
        max_position_embeddings=MAX_LENGTH + 4,
        initializer_range=0.3,
    )
    task.kind.configure(config)
    model: nn.Module = class_for(task.kind.hub_task).from_config(config)
    return model.eval()


class TaskContract:
    """Subclasses write a data set of 60 rows or more, of the words of `tests.tasks.make`."""

    name: ClassVar[str]
    options: ClassVar[Mapping[str, Any]] = {}  # of `load_task`, where data alone do not tell the task
    max_length: ClassVar[int | None] = MAX_LENGTH
    wrong: ClassVar[Sequence[Any]] = (None, 5, {}, b"text", (1, 2))

    @staticmethod
    def reader() -> Any:
        """What turns inputs into rows in training."""
        return tokenizer()

    @staticmethod
    def serving() -> Any:
        """What does so in an engine."""
        return tokenizer().backend_tokenizer

    @staticmethod
    def inputs() -> InputSpec:
        return text_inputs(("input_ids", "attention_mask", "token_type_ids"), tokenizer().pad_token_id)

    @staticmethod
    def make_model(task: Task) -> nn.Module:
        return text_model(task)

    def write(self, folder: Path) -> Path:
        """A file or folder that is clearly of this task."""
        raise NotImplementedError

    @pytest.fixture(scope="class")
    @classmethod
    def task(cls, tmp_path_factory: pytest.TempPathFactory) -> Task:
        dataset = cls().write(tmp_path_factory.mktemp("task"))
        given = {"tokenizer": cls.reader(), "max_length": cls.max_length, "inputs": cls.inputs()}
        task = load_task(dataset, **given, **cls.options)
        if not task.kind.is_taught:
            return task
        network = SuperNetwork(cls.make_model(task))
        return task.taught(lambda split: predict(network, task, split))

    @pytest.fixture(scope="class")
    @classmethod
    def model(cls, task: Task) -> nn.Module:
        return cls.make_model(task)

    @pytest.fixture(scope="class")
    @classmethod
    def said(cls, task: Task, model: nn.Module) -> Any:
        """What the model predicts for the validation rows."""
        return predict(SuperNetwork(model), task, task.validation)

    def test_the_data_tell_the_task(self, task: Task) -> None:
        assert type(task.kind) is task_kinds()[self.name]
        assert task.kind.name == self.name and task.metric_name in task.kind.metrics
        assert len(task.train) > len(task.validation) > 0 and len(task.test) > 0
        assert task.fingerprint

    def test_a_metric_of_another_task_is_refused(self, tmp_path: Path) -> None:
        dataset = self.write(tmp_path)
        with pytest.raises(ConfigurationError, match="'bleu'"):
            given = {"tokenizer": self.reader(), "max_length": self.max_length, "inputs": self.inputs()}
            load_task(dataset, metric="bleu", **given, **self.options)

    def test_answers_have_the_form_of_labels(self, task: Task, said: Any) -> None:
        answers = task.kind.answers(said)
        assert len(said) == len(answers) == len(task.validation.labels)
        assert answers.ndim == task.validation.labels.ndim
        assert task.score(said, task.validation.labels) == task.kind.score_answers(
            answers, task.validation.labels
        )

    def test_labels_score_best_and_the_prior_is_lower(self, task: Task) -> None:
        labels = task.validation.labels
        assert task.kind.score_answers(labels, labels) == pytest.approx(1)
        assert -1 < task.prior(task.validation) < 1

    def test_fidelity_to_oneself_is_perfect(self, task: Task, said: Any) -> None:
        assert task.score(said, task.kind.answers(said)) == pytest.approx(1)

    def test_strata_are_numbered(self, task: Task) -> None:
        strata = task.kind.strata(task.train.labels)
        assert len(strata) == len(task.train.labels) and set(strata) == set(range(strata.max() + 1))

    def test_a_sample_has_the_metric_of_its_rows(self, task: Task, said: Any) -> None:
        labels, answers = task.validation.labels, task.kind.answers(said)
        rng = np.random.default_rng(0)
        chosen = rng.integers(0, len(labels), (5, len(labels)))
        counts = np.array([np.bincount(rows, minlength=len(labels)) for rows in chosen], dtype=np.float64)
        wanted = [task.kind.score_answers(answers[rows], labels[rows]) for rows in chosen]
        np.testing.assert_allclose(task.kind.weighted(answers, labels, counts), wanted, atol=1e-9)

    def test_intervals_hold_the_metric(self, task: Task, said: Any) -> None:
        labels, answers = task.validation.labels, task.kind.answers(said)
        own, best = intervals(task.kind, labels, [answers, labels], dense=labels)
        assert own.metric_ci[0] <= task.score(said, labels) <= own.metric_ci[1]
        assert best.difference_ci is not None and best.difference_ci[0] <= 0 <= best.difference_ci[1]

    def test_mistakes_score_lower(self, task: Task) -> None:
        if task.kind.is_regression:
            pytest.skip("a number is neither right nor wrong")
        labels = task.validation.labels
        wrong = task.kind.mistaken(labels, labels[::-1])
        assert wrong.shape == labels.shape
        assert task.kind.score_answers(wrong, labels) < 0.5
        pairs = task.kind.class_pairs(wrong, labels)
        assert (pairs is not None) == bool(task.kind.labels)
        assert pairs is None or (pairs[0].shape == pairs[1].shape and pairs[0].ndim == 1)

    def test_changes_are_counted_and_told(self, task: Task, said: Any) -> None:
        kind, labels, dense = task.kind, task.validation.labels, task.kind.answers(said)
        other = kind.answers(np.roll(said, 1, axis=0) if kind.unit == "rows" else said * [1, -1])
        assert not any(change.found.any() for change in compare(kind, dense, dense, labels))
        assert all(f1 == 1 for f1, count in kind.groups(labels, labels).values() if count)
        answers: dict[int | None, Any] = {0: other, 1: dense}
        counts, examples = changes_of(kind, task.validation.raw, answers, dense, labels)
        assert 0 < sum(counts["points"]["0"]["counts"]) <= counts["of"] <= len(labels)
        assert examples["1"] == [] and {each["change"] for each in examples["0"]} <= {
            name for name, _ in counts["kinds"]
        }
        for each in examples["0"]:
            assert each["input"] and each["dense"] and each["point"]
            assert ("right" in each) == (not kind.is_taught)
        json.dumps([counts, examples], allow_nan=False)

    def test_what_counts_is_compared(self, task: Task, model: nn.Module) -> None:
        """The loss reaches the last weights; its own teacher teaches nothing."""
        batch = labelled_batch(task.inputs, task.kind, *task.train.labelled(range(8)))
        targets = batch.pop("labels")
        logits, counted = task.kind.compared(said_of(model(**batch)), targets)
        assert len(logits) == len(counted) > 0
        assert logits.ndim == 2
        network = SuperNetwork(model)
        loss = batch_loss(task.kind)(network, {**batch, "labels": targets})
        loss.backward()  # type: ignore[no-untyped-call]
        slope = list(model.parameters())[-1].grad
        assert slope is not None and slope.abs().sum() > 0
        model.zero_grad()
        logits, same = logits.detach(), {"regression": task.kind.is_regression}
        if task.kind.is_vector:
            assert float(vector_loss(logits, logits)) == pytest.approx(0, abs=1e-5)
            return
        assert float(logit_loss(logits, logits, 2.0, **same)) == pytest.approx(0, abs=1e-5)
        assert float(consistency_loss(torch.cat([logits] * 2), **same)) == pytest.approx(0, abs=1e-5)

    def test_a_teacher_is_remembered(self, task: Task, model: nn.Module) -> None:
        batch = labelled_batch(task.inputs, task.kind, *task.train.labelled(range(6)))
        targets = batch.pop("labels")
        memory = TeacherMemory()
        model.eval()

        def ask(rows: Any) -> Any:
            with torch.no_grad():
                return model(**rows, output_hidden_states=True)

        wanted, _ = task.kind.compared(said_of(ask(batch)), targets)
        for _ in range(2):
            found, _ = task.kind.compared(memory.answers(batch, task.inputs, ask).said, targets)
            torch.testing.assert_close(found, wanted, rtol=0, atol=1e-5)

    def test_an_engine_serves_it(self, task: Task, model: nn.Module, said: Any, tmp_path: Path) -> None:
        """Graph, loader and PyTorch agree, from the user's input to the answer."""
        graph = export_onnx(model)
        assert verify(graph, model, task.validation.encoded, inputs=task.inputs).difference < 1e-4
        write_engine(
            tmp_path / "engine",
            graph=graph,
            model=model,
            reader=self.reader(),
            manifest=manifest_of(task, model),
        )
        engine = load_engine(tmp_path / "engine")
        assert engine.kind == task.kind and engine.inputs == task.inputs
        rows = engine.encode(task.validation.raw)
        for found, trained in zip(rows, task.validation.encoded, strict=True):
            for name, value in trained.items():
                assert _listed(found[name]) == _listed(value)
        assert len(engine.predict(task.validation.raw[:3])) == 3
        assert len(engine.predict([])) == 0
        card = (tmp_path / "engine" / "README.md").read_text()
        assert f"pipeline_tag: {task.kind.hub_task}" in card
        again = predict(SuperNetwork(load_pruned(tmp_path / "engine")), task, task.validation)
        np.testing.assert_allclose(again, said, rtol=0, atol=1e-5)

    def test_an_input_of_another_form_is_refused(self, task: Task) -> None:
        for wrong in self.wrong:
            with pytest.raises(DataError, match="permitted"):
                task.kind.encode_served([wrong], self.serving(), segments=True)

    def test_inputs_stand_in_the_manifest(self, task: Task, model: nn.Module) -> None:
        manifest = Manifest.from_json(manifest_of(task, model).to_json())
        assert manifest.kind == task.kind
        assert InputSpec.from_json(manifest.inputs) == task.inputs
        with pytest.raises(EngineError, match="a task that this version does not know"):
            _ = replace(manifest, task={**manifest.task, "unheard_of": 1}).kind


def _listed(value: Any) -> list[Any]:
    return value.tolist() if isinstance(value, np.ndarray) else list(value)


def manifest_of(task: Task, model: nn.Module) -> Manifest:
    architecture = Architecture.full(SuperNetwork(model).blueprint.dims)
    return Manifest(
        architecture=architecture.to_json(),
        signature=architecture.signature,
        precision="fp32",
        metric_name=task.metric_name,
        test_metric=None,
        num_params=1,
        macs=1,
        variant="plain",
        task=task.kind.to_json(),
        inputs=task.inputs.to_json(),
        labels=list(task.kind.labels),
        max_length=task.max_length or None,
    )
