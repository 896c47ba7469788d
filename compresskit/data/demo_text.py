"""A small text task made by our own code: is a product review good or bad?

A review is one clause or two about parts of a product. Negation turns an opinion round, beside the verb or
from the start of the clause; what follows "but" is what the review says. So single words decide little, and
depth helps. A few reviews carry the wrong label, as in life.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from tokenizers import pre_tokenizers

from compresskit.data.containment import words
from compresskit.errors import ConfigurationError

LABELS = ("bad", "good")
WRONG_LABELS = 0.02

_SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
_PARTS = words(
    "battery camera screen keyboard speaker case cable handle lid zipper motor manual charger menu"
)
_PRODUCTS = words("phone kettle backpack headset blender jacket printer router watch tent toaster drill")
_GOOD = words("good great solid superb handy sturdy reliable pleasant clever excellent")
_BAD = words("bad poor flimsy awful clumsy fragile useless annoying silly terrible")
_ADVERBS = ("", "", "very", "really", "quite")
_OPENINGS = ("", "", "", "honestly ,", "after a week ,", "to my surprise ,", "for the price ,", "so far")
_DENIALS = ("i do not think that", "nobody says that")
_CLAIMS = ("i do think that", "everyone says that")
_VERBS = ("is", "feels", "was", "seems")
_NEGATED = ("is not", "does not feel", "was never", "is hardly")


def write_demo_data(folder: str | Path, seed: int = 0, rows: int = 4_000) -> None:
    """Write `rows` reviews to `train.csv` and a quarter as many others to `validation.csv`.

    Columns: `text`, `label` (good or bad). The same seed writes the same files, byte for byte.
    Raises ConfigurationError for fewer than 20 rows.
    """
    if rows < 20:
        raise ConfigurationError(f"{rows} rows are too few for a demo; permitted: 20 or more.")
    reviews = _reviews(np.random.default_rng(seed), rows + rows // 4)
    Path(folder).mkdir(parents=True, exist_ok=True)
    for name, part in (("train", reviews[:rows]), ("validation", reviews[rows:])):
        with (Path(folder) / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(("text", "label"))
            writer.writerows(part)


def read_demo_texts(folder: str | Path) -> list[str]:
    """The training texts that `write_demo_data` wrote."""
    with (Path(folder) / "train.csv").open(newline="", encoding="utf-8") as file:
        return [row["text"] for row in csv.DictReader(file)]


def build_demo_tokenizer(texts: Iterable[str]) -> Any:
    """BERT's tokenizer with the words of `texts`, in lower case, and no pieces; other words become [UNK]."""
    from transformers import BertTokenizerFast

    splitter: Any = pre_tokenizers.BertPreTokenizer()
    found = sorted({word for text in texts for word, _ in splitter.pre_tokenize_str(text.lower())})
    return BertTokenizerFast(vocab={word: i for i, word in enumerate([*_SPECIAL, *found])})


def _reviews(rng: np.random.Generator, count: int) -> list[tuple[str, str]]:
    """Different reviews, as many good as bad before labels are mistaken."""
    found: dict[str, str] = {}
    while len(found) < count:
        good = bool(len(found) % 2)
        text = _review(rng, good)
        if text not in found:
            mistaken = rng.random() < WRONG_LABELS
            found[text] = LABELS[good != mistaken]
    return list(found.items())


def _review(rng: np.random.Generator, good: bool) -> str:
    """One or two clauses; the last one says what the review says."""
    text = _clause(rng, good)
    if rng.random() < 0.6:
        turn = rng.random() < 0.5
        text = f"{_clause(rng, good != turn)} {'but' if turn else 'and'} {text}"
    return f"{_pick(rng, _OPENINGS)} {text} .".strip()


def _clause(rng: np.random.Generator, good: bool) -> str:
    negated = rng.random() < 0.3
    subject = f"the {_pick(rng, _PARTS)}"
    if rng.random() < 0.3:
        subject += f" of the {_pick(rng, _PRODUCTS)}"
    parts = [subject, _pick(rng, _NEGATED if negated else _VERBS), _pick(rng, _ADVERBS)]
    if rng.random() < 0.2:
        denied = rng.random() < 0.5
        parts.insert(0, _pick(rng, _DENIALS if denied else _CLAIMS))
        negated ^= denied
    parts.append(_pick(rng, _GOOD if good != negated else _BAD))
    return " ".join(part for part in parts if part)


def _pick(rng: np.random.Generator, choices: tuple[str, ...]) -> str:
    return choices[int(rng.integers(len(choices)))]
