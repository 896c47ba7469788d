"""Small tokenizers of every kind, and as the classes that transformers loads them with."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers
from transformers import (
    BertTokenizerFast,
    CamembertTokenizerFast,
    DistilBertTokenizerFast,
    PreTrainedTokenizerFast,
    RobertaTokenizerFast,
    XLMRobertaTokenizerFast,
)

CORPUS = [
    "the soup was not good at all but the service was better",
    "a very good room with an unexpectedly beautiful view",
    "we waited for hours and nobody came to the table",
    "friendly people and fresh bread every single morning",
] * 5


def special(tokens: list[str], tokenizer: Tokenizer) -> None:
    ids = [(token, tokenizer.token_to_id(token)) for token in tokens]
    first, last = ids[1], ids[2]
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{first[0]} $A {last[0]}",
        pair=f"{first[0]} $A {last[0]} $B:1 {last[0]}:1",
        special_tokens=[first, last],
    )


def wordpiece() -> Tokenizer:
    tokens = ["[PAD]", "[CLS]", "[SEP]", "[UNK]"]
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    trainer = trainers.WordPieceTrainer(vocab_size=160, special_tokens=tokens, show_progress=False)
    tokenizer.train_from_iterator(CORPUS, trainer)
    special(tokens, tokenizer)
    return tokenizer


def bpe() -> Tokenizer:
    tokens = ["<pad>", "<s>", "</s>", "<unk>"]
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=tokens,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(CORPUS, trainer)
    tokenizer.post_processor = processors.RobertaProcessing(
        ("</s>", 2), ("<s>", 1), trim_offsets=True, add_prefix_space=False
    )
    tokenizer.add_special_tokens(["<mask>"])
    return tokenizer


def unigram() -> Tokenizer:
    tokens = ["<pad>", "<s>", "</s>", "<unk>"]
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    trainer = trainers.UnigramTrainer(
        vocab_size=120, special_tokens=tokens, unk_token="<unk>", show_progress=False
    )
    tokenizer.train_from_iterator(CORPUS, trainer)
    special(tokens, tokenizer)
    return tokenizer


def words() -> Tokenizer:
    tokens = ["[PAD]", "[CLS]", "[SEP]", "[UNK]"]
    tokenizer = Tokenizer(models.WordLevel(unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.train_from_iterator(
        CORPUS, trainers.WordLevelTrainer(special_tokens=tokens, show_progress=False)
    )
    special(tokens, tokenizer)
    return tokenizer


KINDS = {"WordPiece": wordpiece, "BPE": bpe, "Unigram": unigram, "WordLevel": words}


BERT_NAMES = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]"}


def model_of(tokenizer: Tokenizer) -> Any:
    """The model's part of tokenizer.json."""
    return json.loads(tokenizer.to_str())["model"]


def wrapped(tokenizer: Tokenizer, **settings: Any) -> Any:
    """As transformers loads a tokenizer.json of no class of its own."""
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, **{**BERT_NAMES, **settings})


def bert(**settings: Any) -> Any:
    return BertTokenizerFast(vocab=model_of(wordpiece())["vocab"], **settings)


def roberta(**settings: Any) -> Any:
    model = model_of(bpe())
    return RobertaTokenizerFast(
        vocab=model["vocab"], merges=[tuple(pair) for pair in model["merges"]], **settings
    )


def sentence_pieces(kind: Any, **settings: Any) -> Any:
    return kind(vocab=[(token, score) for token, score in model_of(unigram())["vocab"]], **settings)


def with_added_tokens() -> Any:
    tokenizer = bert()
    tokenizer.add_tokens(["soup bowl", "tables"])
    tokenizer.add_special_tokens({"additional_special_tokens": ["[ROOM]"]})
    return tokenizer


def cut_and_padded_by_itself() -> Any:
    tokenizer = wordpiece()
    tokenizer.enable_truncation(7, stride=2, strategy="only_first", direction="left")
    tokenizer.enable_padding(length=20, direction="left")
    return wrapped(tokenizer)


CHECKPOINTS: dict[str, Callable[[], Any]] = {
    "BERT": bert,
    "BERT, cased": lambda: bert(do_lower_case=False, strip_accents=True),
    "BERT, left truncation": lambda: bert(truncation_side="left"),
    "BERT, left padding": lambda: bert(padding_side="left"),
    "BERT, short by its own account": lambda: bert(model_max_length=6),
    "BERT, special tokens split": lambda: bert(split_special_tokens=True),
    "BERT, other inputs": lambda: bert(model_input_names=["input_ids", "attention_mask"]),
    "BERT, added tokens": with_added_tokens,
    "DistilBERT": lambda: DistilBertTokenizerFast(vocab=model_of(wordpiece())["vocab"]),
    "RoBERTa": roberta,
    "RoBERTa, prefix space": lambda: roberta(add_prefix_space=True),
    "RoBERTa, left truncation": lambda: roberta(truncation_side="left"),
    "XLM-RoBERTa": lambda: sentence_pieces(XLMRobertaTokenizerFast),
    "CamemBERT, left truncation": lambda: sentence_pieces(CamembertTokenizerFast, truncation_side="left"),
    "WordLevel": lambda: wrapped(words()),
    "cuts and pads by itself": cut_and_padded_by_itself,
}
