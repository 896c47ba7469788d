"""Folders of images, and columns of images, as tables."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

from compresskit.data.conventions import data_files, role_of
from compresskit.data.table import Table
from compresskit.errors import DataError
from compresskit.images.reading import ImageFile, image_files

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".ppm")


def folder_splits(folder: Path) -> dict[str, Table]:
    """Splits by role of a folder that holds images below one subfolder a class, and no other data.

    `train/cat/1.jpg` or, with no split of its own name, `cat/1.jpg`. None where there is no image. DataError
    for images that are not below a class.
    """
    files = data_files(folder, SUFFIXES)
    parts = [file.relative_to(folder).parts for file in files]
    by_split = {role_of(names[0]) for names in parts if len(names) > 2}
    has_roles = "train" in by_split
    found: dict[str, list[tuple[str, str]]] = {}
    for file, names in zip(files, parts, strict=True):
        role = role_of(names[0]) if has_roles else "train"
        inside = names[1:] if has_roles else names
        if role is None:
            continue
        if len(inside) < 2:
            raise DataError(
                f"image {str(file)!r} stands in no class: put images of one class into one folder, such as "
                "train/cat/1.jpg or cat/1.jpg."
            )
        found.setdefault(role, []).append((str(file), inside[0]))
    return {
        role: Table.of({"image": [{"path": path} for path, _ in rows], "label": [name for _, name in rows]})
        for role, rows in found.items()
    }


def digests_of(table: Table, column: str, split: str, known: dict[str, ImageFile]) -> Table:
    """The table with SHA-256 in place of images, whose files are added to `known` by it.

    DataError for files that cannot be read.
    """
    digests: list[str | None] = []
    for file in image_files(table.columns.get(column, ()), split):
        if file is None:
            digests.append(None)
            continue
        try:
            digest = hashlib.sha256(file.read()).hexdigest()
        except OSError as error:
            raise DataError(f"{file.name} cannot be read: {error.strerror or error}.") from None
        known.setdefault(digest, file)
        digests.append(digest)
    return replace(table, columns={**table.columns, column: digests})
