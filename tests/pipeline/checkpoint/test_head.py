"""Names of a head's outputs, by whichever map of config.json has them."""

from __future__ import annotations

from typing import Any

import pytest
from transformers import BertConfig

from compresskit.errors import ConfigurationError, UnsupportedModelError
from compresskit.pipeline.checkpoint.head import read_head
from compresskit.tasks.classification import Classification

CLASSIFIER = ["BertForSequenceClassification"]


def head(**raw: Any) -> Any:
    raw = {"architectures": CLASSIFIER, **raw}
    config = BertConfig(problem_type=raw.get("problem_type"), num_labels=raw.get("num_labels", 2))
    return read_head("m", raw, config), config


@pytest.mark.parametrize(
    "maps",
    [
        {"id2label": {"0": "no", "1": "yes"}},
        {"id2label": {"1": "yes", "0": "no"}},
        {"label2id": {"no": 0, "yes": 1}},
        {"label2id": {"yes": "1", "no": "0"}},
        {"id2label": {"0": "no", "1": "yes"}, "label2id": {"yes": 1, "no": 0}},
    ],
)
def test_one_map_is_enough(maps: dict[str, Any]) -> None:
    found, config = head(**maps)
    assert found.label2id == {"no": 0, "yes": 1}
    assert found.notes == ()
    assert config.id2label == {0: "no", 1: "yes"}
    assert config.label2id == {"no": 0, "yes": 1}


@pytest.mark.parametrize("named", ["id2label", "label2id"])
def test_a_map_of_defaults_gives_way(named: str) -> None:
    maps: dict[str, Any] = {
        "id2label": {"0": "LABEL_0", "1": "LABEL_1"},
        "label2id": {"LABEL_0": 0, "LABEL_1": 1},
    }
    maps[named] = {"0": "no", "1": "yes"} if named == "id2label" else {"no": 0, "yes": 1}
    found, _ = head(**maps)
    assert found.label2id == {"no": 0, "yes": 1}
    assert f"those of {named}" in found.notes[0]


def test_no_map() -> None:
    found, _ = head(num_labels=3)
    assert found.label2id == {"LABEL_0": 0, "LABEL_1": 1, "LABEL_2": 2}


@pytest.mark.parametrize(
    "maps",
    [
        {"id2label": {"0": "x", "1": "x"}},
        {"id2label": {"0": "x", "2": "y"}},
        {"id2label": {"1": "x", "2": "y"}},
        {"label2id": {"x": 0, "y": 0}},
        {"label2id": {"x": "first"}},
        {"label2id": ["x", "y"]},
    ],
)
def test_maps_that_name_no_outputs(maps: dict[str, Any]) -> None:
    with pytest.raises(
        ConfigurationError, match=r"(id2label|label2id) of model 'm' is .*permitted: one name"
    ):
        head(**maps)


def test_maps_that_contradict_each_other() -> None:
    with pytest.raises(ConfigurationError, match="id2label says no, yes, label2id yes, no"):
        head(id2label={"0": "no", "1": "yes"}, label2id={"yes": 0, "no": 1})


def test_problem_types() -> None:
    assert head(problem_type="single_label_classification")[0].label2id
    assert head(problem_type="regression", num_labels=1)[0].label2id
    with pytest.raises(UnsupportedModelError, match="'regression' with 3 outputs, which no task has"):
        head(problem_type="regression", num_labels=3)
    with pytest.raises(ConfigurationError, match="'ranking' is not known"):
        head(problem_type="ranking")


def test_a_problem_type_that_no_task_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Classification, "problem_types", (None,))
    monkeypatch.setattr("compresskit.pipeline.checkpoint.head.task_kinds", lambda: {"one": Classification})
    with pytest.raises(UnsupportedModelError, match="'single_label_classification' with 2 outputs"):
        head(problem_type="single_label_classification")


@pytest.mark.parametrize(
    "architectures", [None, [], ["BertModel"], ["BertForMaskedLM"], ["BertForPreTraining"]]
)
def test_no_head(architectures: Any) -> None:
    assert head(architectures=architectures, id2label={"0": "x", "1": "x"})[0] == (None, None, ())


def test_a_head_for_something_else_is_told() -> None:
    found, _ = head(architectures=["BertForNextSentencePrediction"])
    assert found.label2id is None
    assert "BertForNextSentencePrediction" in found.notes[0]


def test_architectures_as_one_name() -> None:
    found, _ = head(architectures="BertForSequenceClassification")
    assert found.label2id and found.hub_task == "text-classification"
