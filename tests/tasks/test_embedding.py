from __future__ import annotations

import json
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from compresskit.data.table import Table
from compresskit.errors import ConfigurationError, DataError
from compresskit.tasks.embedding import Embedding
from compresskit.tasks.examples import DataOptions
from compresskit.tasks.sentence import Sentence
from compresskit.tasks.task import Task, load_task
from tests.contracts.task import MAX_LENGTH, TaskContract
from tests.tasks.make import sentence, tokenizer, write_csv

OPTIONS: dict[str, Any] = {"kind": "embedding", "sentence": Sentence()}


def texts(count: int, seed: int = 0) -> list[str]:
    rng = np.random.default_rng(seed)
    return [sentence(rng) for _ in range(count)]


class TestEmbedding(TaskContract):
    name = "embedding"
    options: ClassVar[dict[str, Any]] = OPTIONS

    def write(self, folder: Path) -> Path:
        (folder / "some.txt").write_text("\n".join(texts(120)), encoding="utf-8")
        return folder


def load(folder: Path, **options: Any) -> Task:
    return load_task(folder, tokenizer=tokenizer(), max_length=MAX_LENGTH, **OPTIONS | options)


def test_all_texts_of_pairs_are_read_once(tmp_path: Path) -> None:
    some = texts(90)
    rows = [(some[i], some[i + 1], 0.5) for i in range(88)]
    task = load(write_csv(tmp_path / "train.csv", rows, "sentence1,sentence2,score"))
    assert sorted(
        text for part in (task.train, task.validation, task.test) for (text,) in part.texts
    ) == sorted(some[:89])
    assert "89 different texts in 88 rows" in task.notes[0]


def test_columns_of_prose_are_found(tmp_path: Path) -> None:
    rows = [(number, text, "a") for number, text in enumerate(texts(80))]
    assert load(write_csv(tmp_path / "train.csv", rows, "number,body,group")).text_columns == ("body",)
    with pytest.raises(DataError, match="no column of texts; columns present: number .whole numbers."):
        load(write_csv(tmp_path / "other.csv", [(1, "a")] * 9, "number,group"))


def test_a_prompt_stands_before_every_text() -> None:
    kind = Embedding((), "cosine", Sentence(prompts=(("ask", "w1 "), ("say", "w2 ")), default_prompt="ask"))
    encoded = kind.encode([("w3",)], tokenizer(), MAX_LENGTH).rows
    backend = tokenizer().backend_tokenizer
    assert (
        encoded == kind.encode_served(["w3"], backend, segments=True)
        or encoded[0]["input_ids"] == kind.encode_served([("w3",)], backend, segments=False)[0]["input_ids"]
    )
    assert encoded[0]["input_ids"] == tokenizer()("w1 w3")["input_ids"]
    with pytest.raises(DataError, match="permitted: a text"):
        kind.encode_served([("w3", "w4")], backend, segments=False)


def test_a_model_that_says_no_pooling_needs_one(tmp_path: Path) -> None:
    folder = write_csv(tmp_path / "train.csv", [(text,) for text in texts(80)], "text")
    with pytest.raises(ConfigurationError, match="--pooling"):
        load(folder, sentence=None)
    with pytest.raises(ConfigurationError, match="'weightedmean'.*--pooling"):
        load(folder, sentence=Sentence("weightedmean"))
    with pytest.raises(ConfigurationError, match="Dense"):
        load(folder, sentence=Sentence(refusal="without others, such as Dense"))


def test_pairs_with_scores_judge_an_engine() -> None:
    table = Table.of({"sentence1": ["a", "b", "c"], "sentence2": ["d", "e", "f"], "score": [1.0, 3.0, 2.0]})
    found = Embedding((), "cosine").read_test(table, "test", "test.csv", DataOptions())
    assert list(found.inputs) == ["a", "d", "b", "e", "c", "f"] and found.judge is not None
    vectors = np.array([[1, 0], [0, 1], [1, 0], [2, 0], [1, 0], [1, 1]], dtype=np.float32)
    said = found.judge.predictions(vectors, [])
    np.testing.assert_allclose(said, [0, 1, 0.5**0.5], atol=1e-6)
    assert found.judge.score(said, found.labels) == pytest.approx(1)
    with pytest.raises(DataError, match="one column of texts"):
        one = Table.of({"text": ["a"], "score": [1.0]})
        Embedding((), "cosine").read_test(one, "test", "test.csv", DataOptions())


def test_a_retrieval_set_judges_an_engine(tmp_path: Path) -> None:
    write_csv(tmp_path / "corpus.csv", [(1, "x", "x y"), (2, "t", "z"), (3, "", "q")], "_id,title,text")
    write_csv(tmp_path / "queries.csv", [(7, "ask"), (8, "more"), (9, "none")], "_id,text")
    (tmp_path / "qrels").mkdir()
    judged = [(7, 2, 1), (8, 3, 2), (8, 99, 1)]
    write_csv(tmp_path / "qrels" / "test.csv", judged, "query-id,corpus-id,score")
    for other in ("dev", "train"):  # as many sets of BEIR have them
        write_csv(tmp_path / "qrels" / f"{other}.csv", [(9, 1, 1)], "query-id,corpus-id,score")
    found = Embedding.read_folder(tmp_path)
    assert found is not None and found.judge is not None
    assert list(found.inputs) == ["ask", "more", "x y", "t z", "q"]
    assert found.labels.tolist() == [[0, 1, 0], [0, 0, 2]]
    assert len(found.notes) == 2 and "1 of 3 queries" in found.notes[1]
    vectors = np.eye(5, 3, dtype=np.float32)
    vectors[2:] = np.eye(3)
    said = found.judge.predictions(vectors, [])
    assert said.tolist() == [[1, 0, 0], [0, 1, 0]]
    tied = 1 / np.log2([3, 4])  # the relevant one stands second or third, as often as not
    assert found.judge.score(said, found.labels) == pytest.approx(tied.mean())
    assert Embedding.read_folder(tmp_path / "qrels") is None


def test_relevance_that_is_no_number_is_named(tmp_path: Path) -> None:
    write_csv(tmp_path / "corpus.csv", [(1, "", "x"), (2, "", "y")], "_id,title,text")
    write_csv(tmp_path / "queries.csv", [(7, "ask")], "_id,text")
    write_csv(tmp_path / "qrels.csv", [(7, 1, "high")], "query-id,corpus-id,score")
    with pytest.raises(DataError, match="relevance 'high' of query '7' is not a number"):
        Embedding.read_folder(tmp_path)


def test_files_beside_an_engine_are_those_of_sentence_transformers() -> None:
    found = Embedding((), "cosine", Sentence("cls", prompts=(("query", "q: "),))).files(384, 256)
    assert found["1_Pooling/config.json"]["pooling_mode_cls_token"] is True
    assert [module["path"] for module in found["modules.json"]] == ["", "1_Pooling", "2_Normalize"]
    assert found["sentence_bert_config.json"]["max_seq_length"] == 256
    assert json.loads(json.dumps(found))["config_sentence_transformers.json"]["prompts"] == {"query": "q: "}


def test_too_few_texts_to_tell_models_apart(tmp_path: Path) -> None:
    (tmp_path / "some.txt").write_text("\n".join(texts(20)), encoding="utf-8")
    with pytest.raises(DataError, match="validation split has 2 texts, .*rank_agreement.*takes 3 or more"):
        load(tmp_path)
    with pytest.raises(DataError, match="takes 12 or more, a tenth of all"):
        load(tmp_path, metric="neighbours")
    assert len(load(tmp_path, metric="cosine").validation) == 2
