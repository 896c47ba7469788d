"""One class an image."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from compresskit.data.conventions import IMAGES, first_present
from compresskit.data.images import digests_of
from compresskit.data.sources import Source
from compresskit.data.table import Table
from compresskit.errors import DataError, some
from compresskit.images.processor import ImageProcessor
from compresskit.images.reading import ImageFile, Pixels
from compresskit.inputs import PIXELS, Row
from compresskit.tasks.base import Reading
from compresskit.tasks.classification import Classification
from compresskit.tasks.examples import Array, DataOptions, Encoded, Examples
from compresskit.tasks.wording import Wording

_SHOWN = 5


class PixelRow(Mapping[str, Any]):
    """A row that is scaled to float32 whenever it is asked for: 8 bits a value are what is kept."""

    def __init__(self, pixels: Pixels, processor: ImageProcessor) -> None:
        self._pixels, self._processor = pixels, processor

    def __getitem__(self, name: str) -> Any:
        if name != PIXELS:
            raise KeyError(name)
        return self._processor.scaled(self._pixels)

    def __iter__(self) -> Iterator[str]:
        return iter((PIXELS,))

    def __len__(self) -> int:
        return 1


@dataclass(frozen=True)
class ImageClassification(Classification):
    """`Examples.texts` are SHA-256 of images, its `inputs` their files; logits are (rows, classes)."""

    name = "image"
    hub_task = "image-classification"
    reads = PIXELS
    has_layout = True
    axes = ("channels", "height", "width")
    example = '"photo.jpg"'
    wording = Wording(units="images")

    @classmethod
    def fits(cls, table: Table, options: DataOptions) -> bool:
        return _image_column(table, options) is not None

    @classmethod
    def read(cls, source: Source, options: DataOptions) -> Reading:
        known: dict[str, ImageFile] = {}
        column = _the_column(source.splits["train"], options)
        splits = {name: digests_of(table, column, name, known) for name, table in source.splits.items()}
        found = super().read(replace(source, splits=splits), replace(options, text_columns=(column,)))
        test = None if found.test is None else _with_files(found.test, known)
        return replace(found, train=_with_files(found.train, known), test=test)

    def read_test(self, table: Table, split: str, source: str, options: DataOptions) -> Examples:
        known: dict[str, ImageFile] = {}
        column = _the_column(table, options)
        table = digests_of(table, column, split, known)
        found = super().read_test(table, split, source, replace(options, text_columns=(column,)))
        return _with_files(found, known)

    def encode(self, inputs: Sequence[Any], tokenizer: Any, max_length: int) -> Encoded:
        rows: list[Row] = []
        problems: list[str] = []
        for given in inputs:
            try:
                rows.append(PixelRow(tokenizer.pixels(given, given.name), tokenizer))
            except DataError as error:
                problems.append(str(error).rstrip("."))
        if problems:
            raise DataError(
                f"{len(problems):,} of {len(inputs):,} images cannot be used: "
                f"{'; '.join(problems[:_SHOWN])}. Repair them, or take their rows out."
            )
        return Encoded(rows, 0)

    def encode_served(self, inputs: Sequence[Any], tokenizer: Any, *, segments: bool) -> list[Row]:
        if isinstance(inputs, (str, bytes, Path)):
            raise DataError("images is one image; give a list of them.")
        return [
            PixelRow(tokenizer.pixels(given, f"images[{i}]"), tokenizer) for i, given in enumerate(inputs)
        ]

    def worded(self, unit: int, answers: Array, inputs: Sequence[Any]) -> tuple[str, Sequence[str]]:
        return inputs[unit].name, [self.labels[answers[unit]]]


def _with_files(examples: Examples, known: Mapping[str, ImageFile]) -> Examples:
    return replace(examples, inputs=[known[digest] for (digest,) in examples.texts])


def _image_column(table: Table, options: DataOptions) -> str | None:
    """The column of images, where one is clear."""
    name = options.text_columns[0] if options.text_columns else first_present(table.names, IMAGES)
    if name is None or name not in table.columns:
        return None
    holds = set(table.kind(name).split(" and ")) <= {"objects", "bytes", "nothing"}
    return name if holds else None


def _the_column(table: Table, options: DataOptions) -> str:
    found = _image_column(table, options)
    if found is None:
        raise DataError(
            f"no column of images found; columns present: {table.described()}. Looked for {some(IMAGES)} "
            "that hold bytes, or objects with bytes or path, as data sets of the hub do. Name the column "
            "with --text-column, or give a folder with one subfolder a class."
        )
    return found


TASK = ImageClassification
