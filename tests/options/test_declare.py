"""Options as they are declared: read from annotations, given by people and files, taken by functions."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from pathlib import Path
from typing import Annotated, Any

import pytest

from compresskit.errors import ConfigurationError
from compresskit.options.declare import (
    Option,
    kinds_of,
    normalized,
    options_of,
    read_options,
    takes,
    takes_as_method,
)


@dataclass(frozen=True)
class Asked:
    source: Annotated[str | Path, Option("What is read.", "Data")]
    _: KW_ONLY
    columns: Annotated[Sequence[str], Option("Columns.", "Data", repeats=True)] = ()
    sizes: Annotated[Sequence[int], Option("Sizes.", "Search")] = (2, 4)
    names: Annotated[Sequence[str], Option("Names.", "Search")] = ()
    batch_size: Annotated[int, Option("Rows.", "Search")] = 8
    silent: bool = False


@dataclass(frozen=True, kw_only=True)
class Elsewhere:
    output: Annotated[str | Path, Option("Where to.", flag="--into")]


def test_options_are_the_annotated_fields() -> None:
    assert list(options_of(Asked)) == ["source", "columns", "sizes", "names", "batch_size"]
    kind, option = options_of(Asked)["sizes"]
    assert kinds_of(kind) == ((int,), True) and option == Option("Sizes.", "Search")
    assert kinds_of(float | str | None) == ((float, str), False)


@pytest.mark.parametrize(
    ("name", "value", "kept"),
    [
        ("source", Path("a/b"), "a/b"),
        ("source", "a,b", "a,b"),
        ("columns", "a,b", ("a,b",)),
        ("columns", ["a", "b"], ("a", "b")),
        ("names", "a,b", ("a", "b")),
        ("names", "", ()),
        ("sizes", "2,8", (2, 8)),
        ("sizes", 3, 3),  # of another kind: whoever checks kinds names it
        ("batch_size", "8", "8"),
    ],
)
def test_values_are_kept_in_one_form(name: str, value: object, kept: object) -> None:
    assert normalized(Asked, name, value) == kept


def test_numbers_that_are_none() -> None:
    with pytest.raises(ConfigurationError, match="sizes '2,x' are not whole numbers; write them as 2,4"):
        normalized(Asked, "sizes", "2,x")


def test_a_file_has_the_names_of_the_command_line(tmp_path: Path) -> None:
    file = tmp_path / "asked.toml"
    file.write_text('source = "a"\nbatch-size = 4\n')
    assert read_options(file, Asked, Elsewhere) == {"source": "a", "batch_size": 4}
    file.write_text("batch_size = 4\n")
    assert read_options(file, Asked, Elsewhere) == {"batch_size": 4}


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (
            "batchsize = 4",
            "option 'batchsize' is not known; .* Did you mean batch-size",
        ),
        ("silent = true", "option 'silent' is not known"),
        ("into = 'x'", "sets into; give --into on the command line"),
        ("into", "cannot be read"),
    ],
)
def test_a_file_that_cannot_be(line: str, told: str, tmp_path: Path) -> None:
    file = tmp_path / "asked.toml"
    file.write_text(line)
    with pytest.raises(ConfigurationError, match=told):
        read_options(file, Asked, Elsewhere)


@takes(Asked)
def given(**options: Any) -> dict[str, Any]:
    """What was given."""
    return options


class Holder:
    @takes_as_method(Asked)
    def given(self, **options: Any) -> tuple[object, dict[str, Any]]:
        return self, options


def test_functions_take_the_options_and_hear_of_those_that_were_given() -> None:
    assert given("a", batch_size=8) == {"source": "a", "batch_size": 8}
    holder = Holder()
    assert holder.given("a", sizes=[1]) == (holder, {"source": "a", "sizes": [1]})
    with pytest.raises(TypeError, match="batchsize"):
        given("a", batchsize=8)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="source"):
        given()  # type: ignore[call-arg]


def test_functions_have_signature_and_help_of_their_options() -> None:
    signature = inspect.signature(given)
    assert str(signature.parameters["batch_size"]) == "batch_size: int = 8"
    assert signature.parameters["silent"].kind is inspect.Parameter.KEYWORD_ONLY
    assert signature.return_annotation == dict[str, Any]
    assert (given.__doc__ or "").splitlines()[0] == "What was given."
    assert "    batch_size: Rows." in (given.__doc__ or "")
