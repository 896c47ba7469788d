"""Questions and their answers in a text: SQuAD's JSON, nested or flat, of versions 1 and 2.

Nested: articles (`data`) of `paragraphs` with a `context` and `qas`. Flat: `context`, `question` and
`answers`, which are `{"text": [...], "answer_start": [...]}` or a list of objects with the same keys.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from compresskit.data.columns import check_text
from compresskit.data.conventions import first_present
from compresskit.data.table import Table
from compresskit.errors import DataError

QUESTIONS = ("question", "query")
CONTEXTS = ("context", "passage", "paragraph")
ANSWERS = ("answers", "answer")
IMPOSSIBLE = "is_impossible"
_NESTED = ("data", "paragraphs", "qas")

Answer = tuple[int, str]  # its first character in the context, and its text


@dataclass(frozen=True)
class QuestionColumns:
    question: str
    context: str
    answers: str


@dataclass(frozen=True, eq=False)
class QuestionRows:
    """Complete rows of one split; `answers` of a question are different ones, none where it has no answer.

    `notes`: what was left out.
    """

    split: str
    questions: list[str]
    contexts: list[str]
    answers: list[list[Answer]]
    notes: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.questions)

    @property
    def num_without(self) -> int:
        """Questions without an answer in their context."""
        return sum(not each for each in self.answers)

    @property
    def values(self) -> list[tuple[str, ...]]:
        """All that each row holds."""
        return [
            (question, context, *(value for start, text in answers for value in (str(start), text)))
            for question, context, answers in zip(self.questions, self.contexts, self.answers, strict=True)
        ]


def unnested(table: Table) -> Table:
    """A row for each question of a nested table; another table as it is. DataError for damaged nesting."""
    for column in _NESTED:
        if column in table.columns and table.kind(column) == "lists":
            table = _exploded(table, column)
    return table


def _exploded(table: Table, column: str) -> Table:
    rows: list[Mapping[str, Any]] = []
    others = [name for name in table.names if name != column]
    for number, items in enumerate(table.columns[column]):
        outer = {name: table.columns[name][number] for name in others}
        for item in items or ():
            if not isinstance(item, Mapping):
                raise DataError(
                    f"an item of {column!r} in SQuAD's nested JSON is {item!r:.60}; permitted: objects."
                )
            rows.append({**outer, **item})
    names = dict.fromkeys(name for row in rows for name in row)
    return Table.of({name: [row.get(name) for row in rows] for name in names})


def find_questions(
    table: Table, text_columns: Sequence[str] = (), label_column: str | None = None
) -> QuestionColumns | None:
    """The columns of an unnested table; `text_columns` are those of question and context, if any are named.

    None where it has no such columns.
    """
    if len(text_columns) not in (0, 2):
        return None
    question, context = text_columns or (
        first_present(table.names, QUESTIONS),
        first_present(table.names, CONTEXTS),
    )
    answers = label_column or first_present(table.names, ANSWERS)
    if question is None or context is None or answers is None or answers not in table.columns:
        return None
    if question not in table.columns or context not in table.columns:
        return None
    if not set(table.kind(answers).split(" and ")) <= {"lists", "objects", "nothing"}:
        return None
    return QuestionColumns(question, context, answers)


def questions_of(table: Table, text_columns: Sequence[str], label_column: str | None) -> QuestionColumns:
    """As `find_questions`; DataError, naming the columns present, where there are no such columns."""
    found = find_questions(table, text_columns, label_column)
    if found is None:
        raise DataError(
            f"no questions with answers found; columns present: {table.described()}. "
            "Question answering needs the text "
            "columns question and context, and answers with text and answer_start, as SQuAD has them. Name "
            "others with --text-column QUESTION --text-column CONTEXT and --label-column."
        )
    return found


def read_questions(split: str, table: Table, columns: QuestionColumns) -> QuestionRows:
    """Rows with question, context and answers, those that stand at their place in the context.

    A question has none where its answers are empty, or blank, or where it `is_impossible`. Where all of its
    answers stand elsewhere it is left out. Raises DataError, with row numbers, for answers of another form,
    where most are misplaced, and for no row.
    """
    for column in (columns.question, columns.context, columns.answers):
        if column not in table.columns:
            raise DataError(f"the {split} split has no column {column!r}; it has: {', '.join(table.names)}.")
    check_text(table, columns.question)
    check_text(table, columns.context)
    impossible = table.columns.get(IMPOSSIBLE, [None] * table.num_rows)
    kept: list[tuple[str, str, list[Answer]]] = []
    misplaced: list[str] = []
    num_missing = 0
    for place in range(table.num_rows):
        question, context, value = (
            table.columns[name][place] for name in (columns.question, columns.context, columns.answers)
        )
        try:
            given = [] if impossible[place] else list(_answers(value))
        except ValueError as error:
            raise DataError(
                f"the {split} split, column {columns.answers}, row {place + 1}: {error}."
            ) from None
        standing = [(start, text) for start, text in given if _stands(context, start, text)]
        if _is_blank(question) or _is_blank(context) or (value is None and not impossible[place]):
            num_missing += 1
        elif given and not standing:
            misplaced.append(f"row {place + 1}, {given[0][1]!r:.40} at {given[0][0]}")
        else:
            kept.append((question.strip(), context, list(dict.fromkeys(standing))))
    questions, contexts, answers = map(list, zip(*kept, strict=True)) if kept else ([], [], [])
    notes = _notes(split, columns, answers, num_missing, misplaced)
    return QuestionRows(split, questions, contexts, answers, notes)


def _stands(context: str | None, start: int, text: str) -> bool:
    return context is not None and start >= 0 and context.startswith(text, start)


def _is_blank(text: str | None) -> bool:
    return text is None or not text or text.isspace()


def _answers(value: Any) -> Iterator[Answer]:
    """Answers that are not blank. ValueError for another form."""
    if isinstance(value, Mapping):
        texts, starts = value.get("text"), value.get("answer_start")
        if isinstance(texts, str):
            texts, starts = [texts], [starts]
        if not isinstance(texts, list) or not isinstance(starts, list) or len(texts) != len(starts):
            raise ValueError(f"{value!r:.60} does not hold as many text as answer_start")
        pairs = list(zip(texts, starts, strict=True))
    elif isinstance(value, list) and all(isinstance(each, Mapping) for each in value):
        pairs = [(each.get("text"), each.get("answer_start")) for each in value]
    elif value is None:
        pairs = []
    else:
        raise ValueError(
            f"{value!r:.60} is neither an object nor a list of objects with text and answer_start"
        )
    for text, start in pairs:
        if not isinstance(text, str) or type(start) is not int:
            raise ValueError(
                f"an answer has text {text!r:.40} and answer_start {start!r:.20}; permitted: "
                "a text and a whole number from 0"
            )
        if text.strip():
            yield start, text


def _notes(
    split: str,
    columns: QuestionColumns,
    kept: Sequence[Sequence[Answer]],
    num_missing: int,
    misplaced: Sequence[str],
) -> tuple[str, ...]:
    """What was left out. DataError where most answers are misplaced, or no row is left."""
    total = len(kept) + num_missing + len(misplaced)
    parts = f"a {columns.question}, {columns.context} or {columns.answers}"
    wrong = (
        f"{len(misplaced):,} of {total:,} questions of the {split} split have no answer that stands at its "
        f"answer_start in the context (such as {', '.join(misplaced[:1])})"
    )
    if len(misplaced) > sum(map(bool, kept)):
        raise DataError(
            f"{wrong}. answer_start counts characters of the context as it stands in the file, from 0: not "
            "bytes, words or tokens. Correct it."
        )
    if not kept:
        raise DataError(f"every row of the {split} split lacks {parts}.")
    notes = []
    if num_missing:
        notes.append(f"{num_missing:,} of {total:,} rows of the {split} split lack {parts} and were dropped")
    if misplaced:
        notes.append(f"{wrong} and were dropped")
    return tuple(notes)
