from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from compresskit.data.sources import Source, load_source
from compresskit.data.table import Table
from compresskit.entities.counting import IGNORED
from compresskit.entities.words import MARKS, TEXT, WORDS
from compresskit.errors import ConfigurationError, DataError
from compresskit.tasks.examples import IGNORED as BASE_IGNORED
from compresskit.tasks.examples import DataOptions
from compresskit.tasks.registry import kind_for, kind_named
from compresskit.tasks.tokens import Tokens
from tests.contracts.task import TaskContract
from tests.tasks.make import tagged_lines, tagged_rows, write_json_lines

LABELS = ("O", "B-LOC", "I-LOC", "B-PER", "I-PER")
KIND = Tokens(LABELS, "entity_f1")


def table(*rows: tuple[list[str], list[str]]) -> Table:
    return Table.of({"tokens": [row[0] for row in rows], "ner_tags": [row[1] for row in rows]})


TRAIN = table((["Ann", "left"], ["I-PER", "O"]), (["in", "New", "York"], ["O", "I-LOC", "I-LOC"]))


def read(train: Table = TRAIN, test: Table | None = None, **options: Any) -> Any:
    splits = {"train": train} | ({} if test is None else {"test": test})
    return Tokens.read(Source("data", splits), DataOptions(**options))


def test_padding_has_one_number() -> None:
    assert IGNORED == BASE_IGNORED


def test_it_is_found_by_its_table_and_by_its_name() -> None:
    assert kind_named("tokens") is Tokens
    assert kind_for(TRAIN, DataOptions()) is Tokens
    assert kind_for(Table.of({"text": ["a"], "label": [1]}), DataOptions()) is not Tokens


def test_reading() -> None:
    found = read(test=table((["Bob"], ["B-PER"])))
    assert found.kind == Tokens(LABELS, "entity_f1", MARKS)
    assert found.train.texts == [("Ann left",), ("in New York",)]
    assert found.train.inputs == [("Ann", "left"), ("in", "New", "York")]
    assert found.train.labels.tolist() == [[3, 0, IGNORED], [0, 1, 2]]
    assert found.test.labels.tolist() == [[3]]
    assert (found.columns, found.label_column, found.num_rows) == (("tokens",), "ner_tags", 2)
    assert found.notes == ("tags of the train split are IOB1 and were converted to IOB2",)
    assert found.fingerprint != read().fingerprint


def test_the_tags_of_a_fine_tuned_head_keep_their_numbers() -> None:
    names = ("I-PER", "B-PER", "O", "B-LOC", "I-LOC", "B-ORG", "I-ORG")
    head = {name: number for number, name in enumerate(names)}
    found = read(label2id=head)
    assert found.kind.labels == names
    assert found.train.labels.tolist() == [[1, 2, IGNORED], [2, 3, 4]]
    numbers = Table.of({"tokens": [["Ann"]], "ner_tags": [[1]]})
    assert read(numbers, label2id=head).train.labels.tolist() == [[1]]


@pytest.mark.parametrize("names", [("O", "B-PER", "I-PER"), ("LABEL_0", "LABEL_1"), (*LABELS, "L-PER")])
def test_another_head_is_refused(names: tuple[str, ...]) -> None:
    with pytest.raises(DataError, match="types LOC, PER need the tags B-LOC, .*the checkpoint's head has"):
        read(label2id={name: number for number, name in enumerate(names)})


def test_bad_data_sets() -> None:
    with pytest.raises(DataError, match="every tag of column 'ner_tags' is O"):
        read(table((["a"], ["O"])))
    with pytest.raises(DataError, match=re.escape("the test split are not in training: 'ORG' in row 2")):
        read(test=table((["a"], ["O"]), (["b"], ["B-ORG"])))
    with pytest.raises(DataError, match=re.escape("no words with tags found; columns present: text (text)")):
        read(Table.of({"text": ["a"]}))
    with pytest.raises(ConfigurationError, match="metric 'accuracy' is not known; permitted: entity_f1"):
        read(metric="accuracy")


def test_a_split_without_tags_does_not_test() -> None:
    hidden = Table.of({"tokens": [["a", "b"]], "ner_tags": [[-1, -1]]})
    assert read(test=hidden).test is None
    assert "the test split has no labels and is not used" in read(test=hidden).notes


def test_spans_are_rows_of_raw_texts(tmp_path: Path) -> None:
    lines = [
        {"text": "Ann left.", "label": [[0, 3, "PER"]]},
        {"text": "In New York", "label": [[3, 11, "LOC"]]},
    ]
    (tmp_path / "train.json").write_text(json.dumps(lines), encoding="utf-8")
    found = Tokens.read(load_source(tmp_path), DataOptions())
    assert found.kind == Tokens(LABELS, "entity_f1", TEXT)
    assert found.train.inputs == ["Ann left.", "In New York"]
    # An engine that was trained on words gets words.
    words = KIND.read_test(load_source(tmp_path).splits["train"], "test", "a", DataOptions())
    assert words.inputs == [("Ann", "left", "."), ("In", "New", "York")]
    assert words.labels.tolist() == found.train.labels.tolist()


def tokenizer(**options: Any) -> Any:
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "ann", "left", "new", "york", "##er", "##s", ".", "-", "u"]
    backend = Tokenizer(models.WordPiece({piece: i for i, piece in enumerate(pieces)}, unk_token="[UNK]"))
    backend.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    backend.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=backend,
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        **options,
    )


WORDS_ROW = ("ann", "\u200b", "newers", "u.", "york")


def test_words_are_encoded_as_transformers_encodes_them() -> None:
    found = KIND.encode([WORDS_ROW, ("left",)], tokenizer(), 20)
    wanted = tokenizer()([list(WORDS_ROW), ["left"]], is_split_into_words=True)
    assert [row["input_ids"] for row in found.rows] == wanted["input_ids"]
    assert found.rows[0]["first_pieces"] == [1, 2, 3, 6, 8]
    assert found.num_cut == 0


def test_words_beyond_the_length_are_outside() -> None:
    found = KIND.encode([WORDS_ROW, ("left",)], tokenizer(), 7)
    assert found.num_cut == 1
    (row, _) = found.rows
    assert len(row["input_ids"]) == 7 and row["first_pieces"] == [1, 2, 3, -1, -1]
    logits = np.zeros((1, 7, 5))
    logits[..., 3] = 1
    assert KIND.answers(KIND.predictions(logits, [row])).tolist() == [[3, 3, 3, 0, 0]]


def test_targets_are_at_first_pieces() -> None:
    rows = KIND.encode([("newers", "york"), ("left",)], tokenizer(), 20).rows
    labels = np.asarray([[1, 2], [0, IGNORED]])
    assert KIND.targets(rows, labels, 7).tolist() == [
        [IGNORED, 1, IGNORED, IGNORED, 2, IGNORED, IGNORED],
        [IGNORED, 0, *[IGNORED] * 5],
    ]


@pytest.mark.parametrize("rule", [TEXT, MARKS, WORDS])
def test_an_engine_finds_entities_in_raw_texts(rule: str) -> None:
    kind = Tokens(LABELS, "entity_f1", rule)
    text, words = "Ann left  new york.", ["ann", "york"]
    texts: list[Any] = [text, words]
    lower = [text.lower(), words]
    rows = kind.encode_served(lower, tokenizer().backend_tokenizer, segments=True)
    assert "token_type_ids" in rows[0]
    logits = np.zeros((2, len(rows[0]["input_ids"]), 5))
    tags = [[0, 3, 0, 1, 2, 0, 0], [0, 3, 1, 0]]
    for row, tagged in zip(logits, tags, strict=True):
        row[np.arange(len(tagged)), tagged] = 9
    found = kind.decode(kind.predictions(logits, rows), rows, texts)
    entities = [[(each["entity"], each["start"], each["end"], each["text"]) for each in row] for row in found]
    assert entities == [
        [("PER", 0, 3, "Ann"), ("LOC", 10, 18, "new york")],
        [("PER", 0, 3, "ann"), ("LOC", 4, 8, "york")],
    ]
    assert all(each["score"] > 0.99 for row in found for each in row)


@pytest.mark.parametrize(
    ("texts", "message"),
    [("one text", "texts is one string"), (["a", 3], r"texts\[1\] is 3"), ([["a", 1]], r"texts\[0\] is")],
)
def test_other_inputs_are_refused(texts: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        KIND.encode_served(texts, tokenizer().backend_tokenizer, segments=False)


def test_byte_level_words_follow_a_space() -> None:
    from tokenizers import Tokenizer, models, pre_tokenizers

    served = Tokenizer(models.BPE({"a": 0, "\u0120": 1, "\u0120a": 2}, [("\u0120", "a")]))
    served.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.ByteLevel(add_prefix_space=False)])
    rows = KIND.encode_served([("a", "a")], served, segments=False)
    assert rows[0]["input_ids"] == [2, 2]


LABELS_OF = np.asarray([[3, 4, 0], [1, IGNORED, IGNORED], [0, 0, IGNORED]])


def test_scores() -> None:
    strict = Tokens(LABELS, "entity_f1_strict")
    assert KIND.score_answers(LABELS_OF, LABELS_OF) == 1.0
    begun_inside = np.asarray([[4, 4, 0], [2, IGNORED, IGNORED], [0, 0, IGNORED]])
    assert KIND.score_answers(begun_inside, LABELS_OF) == 1.0
    assert strict.score_answers(begun_inside, LABELS_OF) == 0.0
    narrow = np.asarray([[3, 4], [0, IGNORED], [0, 3]])  # narrower than the labels
    assert KIND.score_answers(narrow, LABELS_OF) == 0.5
    assert KIND.prior(LABELS_OF, LABELS_OF) == pytest.approx(2 * 1 / (3 + 2))  # I-LOC: each row is an entity
    assert KIND.prior(LABELS_OF[2:], LABELS_OF) == 0.0


def test_weighted_is_the_score_of_repeated_rows() -> None:
    answers = np.asarray([[3, 0, 0], [1, IGNORED, IGNORED], [0, 3, IGNORED]])
    counts = np.asarray([[1.0, 1, 1], [2, 3, 0], [0, 1, 4]])
    expected = []
    for row in counts.astype(int):
        chosen = np.repeat(np.arange(3), row)
        expected.append(KIND.score_answers(answers[chosen], LABELS_OF[chosen]))
    assert KIND.weighted(answers, LABELS_OF, counts) == pytest.approx(expected)


def test_rows_by_their_rarest_type() -> None:
    labels = np.asarray([[3, 0], [3, 0], [3, 1], [0, 0]])
    assert KIND.strata(labels).tolist() == [1, 1, 0, 2]


def test_mistaken_rows_are_all_wrong() -> None:
    wrong = KIND.mistaken(LABELS_OF, LABELS_OF)
    assert KIND.score_answers(wrong, LABELS_OF) == 0.0
    assert ((wrong == IGNORED) == (LABELS_OF == IGNORED)).all()
    assert wrong[2].tolist() == [1, 0, IGNORED]


def test_absent_types_and_pairs() -> None:
    assert KIND.absent("test", LABELS_OF) is None
    assert KIND.absent("test", LABELS_OF[:1]) == "types without a test entity: 1 of 2 (LOC)"
    said, true = KIND.class_pairs(LABELS_OF[:, :2], LABELS_OF)
    assert (said.tolist(), true.tolist()) == ([3, 4, 0, 1, 0, 0], [3, 4, 0, 1, 0, 0])


def test_answers_that_are_not_finite() -> None:
    predictions = np.zeros((1, 2, 5))
    predictions[0, 1] = np.nan
    assert KIND.answers(predictions).tolist() == [[0, IGNORED]]
    for place in ((0, 0), (0, 0, 3)):
        broken = predictions.copy()
        broken[place] = np.nan if len(place) == 2 else np.inf
        with pytest.raises(DataError, match="predictions hold values that are not finite"):
            KIND.answers(broken)


def test_the_rule_stands_in_manifests() -> None:
    assert Tokens(LABELS, "entity_f1", TEXT).to_json() == {"name": "tokens", "rule": TEXT}


class TestTokens(TaskContract):
    name = "tokens"

    def write(self, folder: Path) -> Path:
        return write_json_lines(folder / "data.jsonl", tagged_lines(150))


class TestTokensOfSpans(TaskContract):
    name = "tokens"

    def write(self, folder: Path) -> Path:
        rows = []
        for words, tags in tagged_rows(150):
            starts = np.cumsum([0, *(len(word) + 1 for word in words)]).tolist()
            spans = [
                [start, start + len(word), tag[2:]]
                for start, word, tag in zip(starts, words, tags, strict=False)
                if tag != "O"
            ]
            rows.append({"text": " ".join(words), "label": spans})
        return write_json_lines(folder / "data.jsonl", rows)
