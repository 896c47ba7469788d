"""Questions with choices of which one is right: where a table has them, and what its rows hold."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from compresskit.data.columns import check_text
from compresskit.data.conventions import LABELS, first_present
from compresskit.data.table import Table
from compresskit.errors import DataError, row_list, some

# A second column begins every choice, as in SWAG and HellaSwag, or asks about the first.
QUESTIONS = (
    *(("sent1", "sent2"), ("ctx_a", "ctx_b"), ("article", "question"), ("context", "question")),
    ("premise", "question"),
    *(("ctx",), ("question_stem",), ("question",), ("premise",)),
)
LISTS = ("choices", "endings", "options")
_KEYS = (*LABELS, "answerkey", "answer")
_ONE_EACH = re.compile(r"(ending|choice|option|answer)_?(\d+|[a-j])", re.IGNORECASE)
_FORM = "a list of texts, or an object with lists `text` and `label`"


@dataclass(frozen=True)
class ChoiceColumns:
    """`question`: one column, or two; `choices`: one of lists, or one for each choice."""

    question: tuple[str, ...]
    choices: tuple[str, ...]
    label: str

    @property
    def texts(self) -> tuple[str, ...]:
        return (*self.question, *self.choices)


@dataclass(frozen=True, eq=False)
class ChoiceRows:
    """Rows of one split that have a question and a label: the place of the right one of its choices, from 0.

    `questions`: of one text or two, of which the second may be empty. `num_missing`: rows left out.
    """

    split: str
    questions: list[tuple[str, ...]]
    choices: list[tuple[str, ...]]
    labels: list[int]
    num_missing: int

    @property
    def size(self) -> int:
        """How many choices a question has."""
        return len(self.choices[0])

    @property
    def missing_note(self) -> str | None:
        if not self.num_missing:
            return None
        rows = self.num_missing + len(self.labels)
        return (
            f"{self.num_missing:,} of {rows:,} rows of the {self.split} split lack a question or a label and "
            "were dropped"
        )


def find_choices(table: Table, texts: Sequence[str] = (), label: str | None = None) -> ChoiceColumns:
    """The columns of a question, its choices and the label; `texts` and `label` as the user names them.

    Raises DataError, naming the columns present.
    """
    for name in (*texts, *([label] if label else [])):
        if table.names.count(name) != 1:
            found = "stands twice" if name in table.names else "is missing"
            raise DataError(f"column {name!r} {found}; columns present: {table.described()}.")
    question, choices = _named(table, texts) if texts else _known(table)
    label = label or first_present([name for name in table.names if name not in question + choices], _KEYS)
    if label is None:
        raise DataError(
            f"no label column found; columns present: {table.described()}; looked for {', '.join(_KEYS)}. "
            "Name it with --label-column."
        )
    for name in question:
        check_text(table, name)
    return ChoiceColumns(question, choices, label)


def has_labels(table: Table, column: str) -> bool:
    """False where every label is missing: none, empty, or -1, the hub's mark."""
    return any(not _is_missing(value) for value in table.columns.get(column, ()))


def read_choices(split: str, table: Table, columns: ChoiceColumns) -> ChoiceRows:
    """Raises DataError, with row numbers, for choices that are empty, no texts, or of unequal number, and for
    labels that are none of them; also for an absent column and for no row left."""
    for name in (*columns.texts, columns.label):
        if name not in table.columns:
            raise DataError(f"the {split} split has no column {name!r}; it has: {', '.join(table.names)}.")
    choices, names = _choices(split, table, columns)
    asked = list(zip(*(table.columns[name] for name in columns.question), strict=True))
    keys = table.columns[columns.label]
    kept = [i for i, row in enumerate(asked) if _has_text(row[0]) and not _is_missing(keys[i])]
    if not kept:
        raise DataError(
            f"no row of the {split} split has both a question ({columns.question[0]}) and a label "
            f"({columns.label})."
        )
    _check_number(split, [len(choices[i]) for i in kept], kept)
    places = [_place(keys[i], names[i], len(choices[i])) for i in kept]
    if wrong := [i for i, place in zip(kept, places, strict=True) if place is None]:
        size = len(choices[wrong[0]])
        permitted = some(names[wrong[0]]) or f"0 to {size - 1}, or a letter from A"
        counted = set(map(str, range(1, size + 1)))
        from_one = not names[wrong[0]] and {_written(keys[i]) for i in kept} <= counted
        raise DataError(
            f"the {split} split, column {columns.label}, {_rows(wrong)}: label {keys[wrong[0]]!r} is none of "
            f"the choices; permitted: {permitted}. "
            f"{'Labels count from 1 here: subtract 1.' if from_one else 'Correct these rows.'}"
        )
    return ChoiceRows(
        split,
        [tuple(text or "" for text in asked[i]) for i in kept],
        [choices[i] for i in kept],
        [place for place in places if place is not None],
        len(asked) - len(kept),
    )


def _named(table: Table, texts: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The question, and its choices: a column of lists at the end, or all columns behind the first."""
    *first, last = texts
    if 1 <= len(first) <= 2 and not table.is_text(last):
        return tuple(first), (last,)
    if len(texts) < 3 or len(set(texts)) < len(texts):
        raise DataError(
            f"text columns {', '.join(texts)}; permitted: the question and its column of lists of choices, "
            "or the question and a column for each choice, all different."
        )
    return (texts[0],), tuple(texts[1:])


def _known(table: Table) -> tuple[tuple[str, ...], tuple[str, ...]]:
    held = [name for name in table.names if not table.is_text(name)]
    lists = first_present(held, LISTS)
    single = [name for name in table.names if _ONE_EACH.fullmatch(name) and table.is_text(name)]
    choices = (lists,) if lists else tuple(sorted(single, key=_number_of))
    for names in QUESTIONS:
        found = tuple(name for each in names if (name := first_present(table.names, [each])))
        if len(found) == len(names) and (lists or len(choices) > 1):
            return found, choices
    raise DataError(
        f"no question with choices found; columns present: {table.described()}. Looked for "
        f"{', '.join(dict.fromkeys(names[0] for names in QUESTIONS))} beside a list named {', '.join(LISTS)} "
        "or columns such as ending0, ending1. Name them with "
        "--text-column QUESTION --text-column CHOICES."
    )


def _number_of(column: str) -> tuple[str, int, str]:
    """By which columns of choices are ordered: labels count by it, wherever the columns stand."""
    found = _ONE_EACH.fullmatch(column)
    assert found is not None
    name, number = found[1].lower(), found[2].lower()
    return (name, int(number), "") if number.isdigit() else (name, 0, number)


def _choices(
    split: str, table: Table, columns: ChoiceColumns
) -> tuple[list[tuple[str, ...]], list[tuple[str, ...]]]:
    """Of each row its choices, and what the labels call them where the row says so."""
    if len(columns.choices) > 1:
        rows = list(zip(*(table.columns[name] for name in columns.choices), strict=True))
        found: list[tuple[Sequence[Any], tuple[str, ...]] | None] = [(row, ()) for row in rows]
    else:
        found = [_listed(value) for value in table.columns[columns.choices[0]]]
    where = f"the {split} split, column{'s' if columns.choices[1:] else ''} {', '.join(columns.choices)}"
    if wrong := [i for i, row in enumerate(found) if row is None]:
        raise DataError(f"{where}, {_rows(wrong)}: permitted: {_FORM}.")
    texts = [[_text(each) for each in row[0]] for row in found if row is not None]
    if wrong := [i for i, row in enumerate(texts) if None in row or len(row) < 2]:
        raise DataError(
            f"{where}, {_rows(wrong)}: a choice is empty, or there are fewer than two. Correct these rows. "
            "pandas writes nothing for texts such as N/A and None unless it read them with "
            "keep_default_na=False."
        )
    return [tuple(t for t in row if t is not None) for row in texts], [row[1] for row in found if row]


def _listed(value: Any) -> tuple[Sequence[Any], tuple[str, ...]] | None:
    """Choices and what they are called; None for what is neither a list nor an object of lists."""
    if isinstance(value, Mapping) and isinstance(value.get("text"), list):
        names = value.get("label")
        names = names if isinstance(names, list) and len(names) == len(value["text"]) else []
        return value["text"], tuple(str(name).strip() for name in names)
    if not isinstance(value, list):
        return None
    if value and all(isinstance(each, Mapping) and {"text", "label"} <= set(each) for each in value):
        return [each["text"] for each in value], tuple(str(each["label"]).strip() for each in value)
    return value, ()


def _text(value: Any) -> str | None:
    """A choice as text, numbers as they are written; None for anything else, and for one that is empty."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return value if _has_text(value) else None


def _check_number(split: str, sizes: Sequence[int], rows: Sequence[int]) -> None:
    """DataError where rows have unequal numbers of choices."""
    counted = Counter(sizes).most_common()
    if len(counted) > 1:
        usual, number = counted[0]
        others = [i for i, size in zip(rows, sizes, strict=True) if size != usual]
        found = some(sorted({size for size, _ in counted[1:]}))
        raise DataError(
            f"the {split} split has questions with unequal numbers of choices: {number:,} rows have {usual}, "
            f"{_rows(others)} have {found}. Give each question as many, or leave these rows out."
        )


def _place(key: Any, names: Sequence[str], size: int) -> int | None:
    """Of the choice that a label names: by `names`, else a number from 0 or a letter from A."""
    if isinstance(key, bool):
        return None
    text = _written(key)
    if names:
        return names.index(text) if text in names else None
    letter = ord(text.upper()) - ord("A") if len(text) == 1 and text.isascii() and text.isalpha() else -1
    place = int(text) if re.fullmatch(r"\d{1,9}", text) else letter
    return place if 0 <= place < size else None


def _written(key: Any) -> str:
    return str(int(key) if isinstance(key, float) and key.is_integer() else key).strip()


def _is_missing(value: Any) -> bool:
    return value is None or value != value or str(value).strip() in ("", "-1")


def _has_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value) and not value.isspace()


def _rows(places: Sequence[int]) -> str:
    return row_list([place + 1 for place in places])
