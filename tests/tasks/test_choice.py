"""Multiple choice."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from compresskit.bundle.session import make_session
from compresskit.data.sources import Source
from compresskit.data.table import Table
from compresskit.engine.count import count_macs
from compresskit.engine.export import export_onnx
from compresskit.engine.graph_slicer import GraphSlicer
from compresskit.engine.variants import VARIANTS, check_equal
from compresskit.errors import ConfigurationError, DataError
from compresskit.inputs import text_inputs
from compresskit.supernet.batching import labelled_batch
from compresskit.supernet.mask_slopes import mask_slopes
from compresskit.supernet.network import SuperNetwork
from compresskit.target.graph import read_inputs
from compresskit.tasks.choice import MultipleChoice
from compresskit.tasks.examples import DataOptions
from compresskit.tasks.registry import kind_for
from compresskit.tasks.task import Task
from compresskit.training.stages import batch_loss
from tests.contracts.task import TaskContract
from tests.tasks.make import sentence, tokenizer, write_json_lines

KIND = MultipleChoice((), "accuracy", 3)
TRAIN = Table.of(
    {
        "sent1": ["w1 w2", "w1 w2", "w3"],
        "sent2": ["w9", "", "w8"],
        **{f"ending{i}": [f"w{i}", f"w1{i}", f"w2{i}"] for i in range(3)},
        "label": [0, 2, 2],
    }
)


def questions(count: int, seed: int = 0) -> list[dict[str, Any]]:
    rng = np.random.default_rng(seed)
    return [
        {
            "question": sentence(rng, int(rng.integers(2, 7))),
            "choices": [sentence(rng, int(rng.integers(1, 5))) for _ in range(3)],
            "label": int(rng.integers(0, 3)),
        }
        for _ in range(count)
    ]


def solvable(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same, where the right choice begins with a word that no other has."""
    for row in rows:
        others = [" ".join(["w8", text]) for text in row["choices"]]
        row["choices"] = [
            text.replace("w8", "w7", 1) if place == row["label"] else text
            for place, text in enumerate(others)
        ]
    return rows


class TestChoice(TaskContract):
    name = "choice"

    def write(self, folder: Path) -> Path:
        return write_json_lines(folder / "data.jsonl", questions(120))

    def test_graphs_take_any_number_of_choices(self, task: Task, model: nn.Module) -> None:
        """Every form of a graph that was cut gives PyTorch's logits, at any choices and length."""
        graph = export_onnx(model)
        assert [[dim.dim_param for dim in item.type.tensor_type.shape.dim] for item in graph.graph.input] == [
            ["batch", "choices", "length"]
        ] * 3
        network = SuperNetwork(model)
        assert count_macs(graph, 2, 9, 3) == network.blueprint.macs(network.full, 9, 6)
        assert read_inputs(graph.SerializeToString())[0].rows == len(tokenizer())
        plain = GraphSlicer(graph, network.blueprint).slice(network.full)
        rng = np.random.default_rng(0)
        for variant in VARIANTS:
            form = variant.apply(deepcopy(plain))
            check_equal(plain, form, variant.session)
            session = make_session(form.SerializeToString(), variant.session, threads=1)
            for choices, length in ((1, 7), (2, 14), (3, 5), (5, 16)):
                texts = [
                    [rng.integers(5, 100, size).tolist() for size in (length, *sizes)]
                    for sizes in rng.integers(3, length, (2, choices - 1))
                ]
                feed = task.inputs.batch([{"input_ids": row} for row in texts])
                assert feed["attention_mask"].sum() == sum(len(text) for row in texts for text in row)
                with torch.no_grad():
                    wanted = model(**{name: torch.from_numpy(value) for name, value in feed.items()}).logits
                found = session.run(["logits"], feed)[0]
                np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-5)

    def test_slopes_of_masks_are_those_of_questions(self, task: Task, model: nn.Module) -> None:
        """A question's loss moves with a mask in all of its choices."""
        outputs = {0: (model.get_submodule("bert.encoder.layer.0.attention.output.dense"), 8)}

        def slopes(numbers: list[int]) -> torch.Tensor:
            batch = labelled_batch(task.inputs, task.kind, *task.train.labelled(numbers))
            ((rows, found),) = mask_slopes(model, outputs, [batch], batch_loss(task.kind))
            assert rows == len(numbers) == len(found[0])
            return found[0]

        alone = torch.cat([slopes([number]) for number in range(3)])
        torch.testing.assert_close(slopes([0, 1, 2]), alone, rtol=1e-4, atol=1e-6)
        assert alone.abs().min() > 0

    def test_the_tokens_of_choices_count(self, task: Task) -> None:
        row = task.train.encoded[0]
        assert len(row["input_ids"]) == 3
        assert task.inputs.length(row) == max(map(len, row["input_ids"]))
        assert len(task.inputs.flat(row)) == sum(map(len, row["input_ids"]))


def read(train: Table = TRAIN, test: Table | None = None, **options: Any) -> Any:
    splits = {"train": train} | ({} if test is None else {"test": test})
    return MultipleChoice.read(Source("data", splits), DataOptions(**options))


def test_reading() -> None:
    found = read()
    assert found.kind == KIND and found.kind.request_sizes == {"choices": 3}
    assert found.train.texts == [("w1 w2",), ("w1 w2",), ("w3",)]
    assert found.train.inputs[0] == ("w1 w2", ("w9 w0", "w9 w1", "w9 w2"))
    assert found.train.inputs[1] == ("w1 w2", ("w10", "w11", "w12"))
    assert found.train.labels.tolist() == [0, 2, 2]
    assert (found.columns[:2], found.label_column) == (("sent1", "sent2"), "label")
    assert KIND.read_texts([], found.train.inputs)[1] == ("w1 w2", "w10", "w11", "w12")
    hidden = Table.of({**TRAIN.columns, "label": [-1, -1, -1]})
    assert read(test=hidden).test is None
    assert read(test=hidden).notes == ("the test split has no labels and is not used",)


def test_which_tables_are_of_it() -> None:
    assert kind_for(TRAIN, DataOptions()) is MultipleChoice
    for other in (
        Table.of({"question": ["p"], "sentence": ["q"], "label": [0]}),
        Table.of({"text": ["p"], "labels": [["a", "b"]]}),
        Table.of({"question": ["p"], "context": ["q"], "answers": [{"text": ["q"], "answer_start": [0]}]}),
    ):
        assert kind_for(other, DataOptions()) is not MultipleChoice


def test_splits_with_unequal_choices_are_refused() -> None:
    two = Table.of({"question": ["p"], "choices": [["a", "b"]], "label": [0]})
    three = Table.of({"question": ["p"], "choices": [["a", "b", "c"]], "label": [0]})
    with pytest.raises(DataError, match="of the train split has 2 choices, one of the test split 3"):
        read(two, three)
    served = KIND.read_test(two, "test", "f", DataOptions())
    assert served.labels.tolist() == [0]  # an engine takes any number
    with pytest.raises(ConfigurationError, match="metric of multiple choice 'f1'"):
        read(metric="f1")


def test_labels_that_may_count_from_1_are_said() -> None:
    def read(labels: list[int]) -> Any:
        table = Table.of({**TRAIN.columns, "label": labels})
        return MultipleChoice.read(Source("it", {"train": table}), DataOptions()).notes

    assert any("if labels count from 1, subtract 1" in note for note in read([1, 2, 1]))
    assert read([0, 2, 2]) == ()
    with pytest.raises(DataError, match="in every question of the train split choice 1 is right"):
        read([1, 1, 1])


def test_the_number_of_choices_in_a_manifest_is_checked() -> None:
    assert KIND.to_json() == {"name": "choice", "choices": 3}
    for wrong in (1, "3"):
        with pytest.raises(ConfigurationError, match="permitted: a whole number from 2"):
            MultipleChoice((), "accuracy", wrong)  # type: ignore[arg-type]


def test_scores() -> None:
    labels = np.array([2, 2, 0, 1])
    assert KIND.prior(labels, np.array([2, 0])) == 0.5
    assert KIND.score(np.array([[0.0, 1, 2], [3, 1, 2]]), np.array([2, 2])) == 0.5
    assert KIND.describe(labels) == "the right choice: 0 (1), 1 (1), 2 (2)"
    assert KIND.mistaken(labels, labels).tolist() == [0, 0, 1, 2]


def test_answers_have_probabilities_of_their_own_choices() -> None:
    logits = np.array([[1.0, 2.0, 0.0], [0.0, 1.0, 9.0]])
    rows = [{"input_ids": [[1]] * 3}, {"input_ids": [[1]] * 2}]  # of the second the third is padding
    first, second = KIND.decode(logits, rows, [])
    assert (first["choice"], second["choice"]) == (1, 1)
    assert first["scores"] == pytest.approx([0.2447, 0.6652, 0.09], abs=1e-4)
    assert first["score"] == max(first["scores"])
    assert second["scores"] == pytest.approx([0.2689, 0.7311], abs=1e-4)


@pytest.mark.parametrize("wrong", ["w1", ("w1", "w2"), ("w1", []), ("w1", [3]), (3, ["w1"])])
def test_what_is_no_question_is_refused(wrong: Any) -> None:
    with pytest.raises(DataError, match=r"texts\[1\] is .*permitted: \(question, \[choice"):
        KIND.encode_served([("w1", ["w2"]), wrong], None, segments=False)
    with pytest.raises(DataError, match="texts is one string"):
        KIND.encode_served("w1", None, segments=False)


def test_rows_are_padded_in_both_axes() -> None:
    inputs = text_inputs(("input_ids", "attention_mask", "token_type_ids"), 7).along(MultipleChoice.axes)
    rows = [
        {"input_ids": [[1, 2, 3], [4]]},
        {"input_ids": [[5], [6], [8]], "token_type_ids": [[1], [1], [0]]},
    ]
    feed = inputs.batch(rows, length=4)
    assert feed["input_ids"].tolist() == [
        [[1, 2, 3, 7], [4, 7, 7, 7], [7] * 4],
        [[5, 7, 7, 7], [6, 7, 7, 7], [8, 7, 7, 7]],
    ]
    assert feed["attention_mask"].tolist() == [
        [[1, 1, 1, 0], [1, 0, 0, 0], [0] * 4],
        [[1, 0, 0, 0], [1, 0, 0, 0], [1, 0, 0, 0]],
    ]
    assert feed["token_type_ids"][1].tolist() == [[1, 0, 0, 0], [1, 0, 0, 0], [0] * 4]
    assert inputs.lengths(rows).tolist() == [3, 1]
    assert inputs.real(feed).shape == (6, 4)
