"""Where files lie, where knowledge of families and of rows may be, and that names are not used twice."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import compresskit
from compresskit.families import families
from compresskit.inputs import TEXT

PACKAGE = Path(compresskit.__file__).parent
TREES = {
    path.relative_to(PACKAGE).as_posix(): ast.parse(path.read_text(encoding="utf-8"))
    for path in sorted(PACKAGE.rglob("*.py"))
}
KNOWS_FAMILIES = ("families/",)
KNOWS_ROWS = ("families/", "tasks/", "bundle/")
# The demo makes a BERT and its tokenizer from nothing.
DEMO = ("pipeline/demo.py", "data/demo_text.py")

# Words of family descriptions that everybody uses in their own sense.
PLAIN = {
    *("attention", "classifier", "dense", "embeddings", "encoder", "head", "intermediate", "layer", "layers"),
    *(
        "model",
        "output",
        "query",
        "key",
        "value",
        "self",
        "transformer",
        "input_ids",
        "attention_mask",
        "pixel_values",
    ),
    *("token_type_ids", "zero", "first", "second", "zero_pair", "first_pair", "up", "gate", "heads", "units"),
    *("score", "projection"),  # words of any code
    "sentence_bert_config",  # a file that sentence-transformers has for any family
}
# May only get shorter.
PAD_TOKEN_IDS_LEFT: set[str] = set()


def strings(tree: ast.AST) -> Iterator[str]:
    """All but docstrings."""
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    docs = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, kinds) and node.body and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs:
            yield node.value


def words(tree: ast.AST) -> set[str]:
    """Attributes, imported names, and words of strings that are names: those without a space."""
    found = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    found |= {node.name for node in ast.walk(tree) if isinstance(node, ast.alias)}
    found |= {node.arg for node in ast.walk(tree) if isinstance(node, ast.keyword) and node.arg}
    found |= {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    return found | {word for text in strings(tree) if " " not in text for word in re.findall(r"[\w-]+", text)}


def outside(*folders: str) -> dict[str, ast.Module]:
    return {file: tree for file, tree in TREES.items() if not file.startswith((*folders, *DEMO))}


def test_the_pipeline_is_seen_at_a_glance() -> None:
    files = [path for path in (PACKAGE / "pipeline").glob("*.py") if path.name != "__init__.py"]
    assert len(files) <= 10, sorted(path.name for path in files)


def test_nobody_asks_for_the_model_type() -> None:
    asking = [
        f"{file}:{node.lineno}"
        for file, tree in outside(*KNOWS_ROWS).items()
        for node in ast.walk(tree)
        if isinstance(node, (ast.Compare, ast.Match))
        and "model_type" in ast.unparse(node.subject if isinstance(node, ast.Match) else node)
    ]
    assert not asking, asking


def test_padding_is_known_to_families_tasks_and_bundles() -> None:
    knowing = {file for file, tree in outside(*KNOWS_ROWS).items() if "pad_token_id" in words(tree)}
    assert knowing <= PAD_TOKEN_IDS_LEFT, knowing - PAD_TOKEN_IDS_LEFT


def test_inputs_of_graphs_are_named_in_one_place() -> None:
    """Others take them from there, from the task's own, or from the graph itself."""
    knowing = {
        f"{file}: {', '.join(sorted(found))}"
        for file, tree in outside(*KNOWS_ROWS, "inputs.py").items()
        if (found := set(TEXT.names) & words(tree))
    }
    assert not knowing, "\n".join(sorted(knowing))


def test_a_name_stands_for_one_class() -> None:
    found = Counter(
        node.name
        for tree in TREES.values()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    )
    assert not [name for name, count in found.items() if count > 1]


def test_names_of_a_family_stay_in_its_description() -> None:
    names = set(families())
    for file, tree in TREES.items():
        if file.startswith("families/") and Path(file).stem not in ("__init__", "blueprint", "registry"):
            names |= {word for text in strings(tree) for word in re.findall(r"[\w-]{2,}", text)}
    assert {"bert", "Wqkv", "q_lin", "out_lin", "pooler"} <= names
    knowing = {
        f"{file}: {', '.join(sorted(found))}"
        for file, tree in outside(*KNOWS_FAMILIES).items()
        if (found := (names & words(tree) | {word for word in words(tree) if "bert" in word.lower()}) - PLAIN)
    }
    assert not knowing, "\n".join(sorted(knowing))
