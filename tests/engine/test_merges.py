from __future__ import annotations

import random

from tokenizers import Tokenizer, models

from compresskit.engine.merges import applied_merges, merge_pairs

MERGES = [("a", "b"), ("b", "c"), ("ab", "c"), ("c", "d"), ("abc", "d"), ("d", "d"), ("b", "b"), ("a", "bb")]


def tokenizer() -> Tokenizer:
    tokens = [*"abcd", *dict.fromkeys(left + right for left, right in MERGES)]
    return Tokenizer(models.BPE({token: i for i, token in enumerate(tokens)}, MERGES))


def test_both_spellings() -> None:
    assert merge_pairs(["a b", ["ab", "c"]]) == [("a", "b"), ("ab", "c")]


def test_merges_of_a_words_tokens_are_enough_for_the_word() -> None:
    """Against the tokenizers package: with only these merges left, each word is cut as before."""
    whole = tokenizer()
    ranks = {pair: rank for rank, pair in enumerate(MERGES)}
    rng = random.Random(0)
    for _ in range(200):
        word = "".join(rng.choices("abcd", k=rng.randint(1, 9)))
        tokens = whole.encode(word).tokens
        needed = [pair for token in tokens for pair in applied_merges(token, ranks)]
        for token in tokens:
            made = applied_merges(token, ranks)
            assert len(token) == 1 or "".join(made[-1]) == token
        kept = [pair for pair in MERGES if pair in needed]
        vocabulary = [*"abcd", *dict.fromkeys(left + right for left, right in kept)]
        smaller = Tokenizer(models.BPE({token: i for i, token in enumerate(vocabulary)}, kept))
        assert smaller.encode(word).tokens == tokens
