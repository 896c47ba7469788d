"""docs/own-family.md: its package is found, its check holds, and a checkpoint of it goes the whole way."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tomllib
import torch

from compresskit import load_engine, load_pruned
from compresskit.data.demo_text import build_demo_tokenizer, read_demo_texts, write_demo_data
from compresskit.errors import UnsupportedModelError
from compresskit.families import family_for, registry
from compresskit.pipeline.export import export
from compresskit.pipeline.search import search
from tests.pipeline.make import PROFILE, settings_for
from tests.pipeline.quick import quickened

PAGE = (Path(__file__).parents[2] / "docs" / "own-family.md").read_text(encoding="utf-8")
FAMILY, MODEL, CHECK = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


def install(site: Path, name: str, entry: str) -> None:
    """What pip leaves of a package for `importlib.metadata`."""
    info = site / f"{name.replace('-', '_')}-0.1.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 0.1\n")
    (info / "entry_points.txt").write_text(f"[{registry.GROUP}]\n{entry}\n")


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    site = tmp_path_factory.mktemp("site")
    (project,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    described = tomllib.loads(project)["project"]
    ((name, value),) = described["entry-points"][registry.GROUP].items()
    install(site, described["name"], f"{name} = {value}")
    (site / "plain_encoder").mkdir()
    (site / "plain_encoder" / "__init__.py").touch()
    (site / "plain_encoder" / "family.py").write_text(FAMILY)
    (site / "plain_encoder" / "model.py").write_text(MODEL)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(site))
        registry._found.cache_clear()
        yield site
    registry._found.cache_clear()


def test_the_description_is_found(package: Path) -> None:
    family = family_for("plain-encoder")
    assert family.stem == "encoder.layers"
    assert len(FAMILY.splitlines()) <= 30


def test_the_check_of_the_page_holds(package: Path) -> None:
    exec(compile(CHECK, "own-family.md", "exec"), {})


@pytest.mark.slow
def test_a_checkpoint_goes_the_whole_way(package: Path, tmp_path: Path) -> None:
    write_demo_data(tmp_path / "data", seed=0, rows=300)
    tokenizer = build_demo_tokenizer(read_demo_texts(tmp_path / "data"))
    from plain_encoder.model import PlainConfig, PlainForSequenceClassification  # type: ignore[import-not-found]

    torch.manual_seed(0)
    sizes = {"vocab_size": len(tokenizer), "hidden_size": 32, "num_hidden_layers": 3, "intermediate_size": 64}
    config = PlainConfig(**sizes, architectures=["PlainModel"], pad_token_id=tokenizer.pad_token_id)
    model: Any = PlainForSequenceClassification(config).encoder
    model.save_pretrained(tmp_path / "model")
    tokenizer.save_pretrained(tmp_path / "model")
    (tmp_path / "profile.toml").write_text(PROFILE)
    with quickened():
        search(settings_for(tmp_path, trials=3), tmp_path / "run")
        export(tmp_path / "run", tmp_path / "engine", pareto_idx=0)
    texts = ["a fine and warm film", "dull"]
    answers = load_engine(tmp_path / "engine").predict(texts)
    card = (tmp_path / "engine" / "README.md").read_text()
    assert "load_pruned" in card
    assert "optimum" not in card
    pruned = load_pruned(tmp_path / "engine")
    batch = tokenizer(texts, padding=True, return_tensors="pt")
    with torch.no_grad():
        logits = pruned(batch["input_ids"], batch["attention_mask"]).logits
    np.testing.assert_allclose(answers, logits.numpy(), rtol=0, atol=1e-4)


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ("lost = no_such_package:FAMILY", "No module named 'no_such_package'"),
        ("odd = json:dumps", "not iterable"),
        ("again = compresskit.families.bert:FAMILIES", "bert is described already"),
        ("text = string:digits", "it gives str, not a Family"),
    ],
)
def test_what_cannot_be_read_is_left_out_with_its_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, entry: str, reason: str
) -> None:
    install(tmp_path, "broken", entry)
    monkeypatch.syspath_prepend(str(tmp_path))
    registry._found.cache_clear()
    try:
        with pytest.raises(UnsupportedModelError, match=re.escape(entry)) as caught:
            family_for("unheard-of")
        assert reason in str(caught.value)
        assert family_for("bert").model_type == "bert"
    finally:
        registry._found.cache_clear()


def test_classes_that_do_not_load_are_named() -> None:
    family = replace(family_for("bert"), module="no_such_module")
    with pytest.raises(UnsupportedModelError, match="no_such_module, which does not load"):
        registry.load_classes(family)
    registry.load_classes(family_for("bert"))
