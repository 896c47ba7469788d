"""CoNLL files: a word and its tags a line, in columns; a blank line ends a sentence."""

from __future__ import annotations

import re
from pathlib import Path

from compresskit.data.lines import text_lines
from compresskit.data.table import Table

_BETWEEN = {2: (), 4: ("pos_tags", "chunk_tags")}  # CoNLL-2003's four columns
_TAG = re.compile(r"O|[BILUES]-.+")


def read_conll(file: Path) -> Table:
    """Rows of `tokens`, `ner_tags` (the last column) and the columns between, each a list of strings.

    Columns are separated by a tab, or by spaces. -DOCSTART- lines are left out, and so are comments: lines
    with # at the start of a sentence that do not end in a tag. Raises ValueError naming a line that has
    another number of columns, or one only.
    """
    sentences: list[list[list[str]]] = []
    size, open_sentence = 0, False
    for number, line in enumerate(text_lines(file), start=1):
        line = line.rstrip("\r\n")
        # Only ASCII separates: words may hold other spaces.
        fields = line.split("\t") if "\t" in line else re.split(" +", line.strip(" "))
        if not line.strip(" \t") or line.startswith("-DOCSTART-"):
            open_sentence = False
            continue
        if not open_sentence and line.startswith("#") and not _TAG.fullmatch(fields[-1]):
            continue
        if len(fields) < 2 or len(fields) != (size or len(fields)):
            raise ValueError(
                f"line {number:,} has {len(fields)} columns{f', the first line {size}' if size else ''}; a "
                "line holds a word and its tag, with a tab or spaces between, a blank line ends a sentence."
            )
        size = len(fields)
        if not open_sentence:
            sentences.append([])
            open_sentence = True
        sentences[-1].append(fields)
    between = _BETWEEN.get(size, tuple(f"column_{place}" for place in range(2, size)))
    names = ("tokens", *between, "ner_tags")
    return Table.of(
        {name: [[word[i] for word in words] for words in sentences] for i, name in enumerate(names)}
    )
