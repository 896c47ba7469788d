from __future__ import annotations

import pytest

from compresskit.data.table import Table, joined


def test_kinds_of_columns() -> None:
    table = Table.of({"a": ["x", None], "b": [1, 2], "c": [1, 2.5], "d": [True, None], "e": [None, None]})
    assert [table.kind(name) for name in table.names] == [
        *("text", "whole numbers", "numbers", "booleans", "nothing")
    ]
    assert Table.of({"a": ["x", 1, [2]]}).kind("a") == "lists and text and whole numbers"
    assert Table.of({"a": ["1", "002"]}).kind("a") == "text"
    written = Table.of({"a": ["1", "002"], "b": ["1", ""], "c": ["1", "x"], "d": ["", " "]}, is_typed=False)
    assert [written.kind(name) for name in written.names] == [
        "whole numbers",
        "whole numbers",
        "text",
        "text",
    ]


def test_parts_are_joined_by_column() -> None:
    names = {"l": ("n", "y")}
    table = joined([Table.of({"a": ["x"], "l": [0]}, class_names=names), Table.of({"l": [1], "b": [2]})])
    assert table.columns == {"a": ["x", None], "l": [0, 1], "b": [None, 2]} and table.num_rows == 2
    assert table.class_names == names
    with pytest.raises(ValueError, match="column 'l' has class names"):
        joined([Table.of({"l": [0]}, class_names=names), Table.of({"l": [0]}, class_names={"l": ("y", "n")})])
