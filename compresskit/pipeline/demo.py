"""The whole workflow in small: generated data and model, then the commands that a user would type."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from transformers import BertConfig, BertModel, set_seed

from compresskit.data.demo_text import build_demo_tokenizer, read_demo_texts, write_demo_data
from compresskit.errors import CompresskitError, ConfigurationError
from compresskit.pipeline.training.models import quiet

ROWS = 5000
MARKER = ".compresskit-demo"
# `cpu-1-thread`, for shorter texts and looked at for a shorter time.
PROFILE = """\
description = "One CPU thread, one text of 32 tokens, measured briefly"
threads = 1
length = 32
interval_precision = 0.02
max_seconds = 0.7
"""


def demo(output: Path, *, force: bool, say: Callable[[str], None], tables: bool = True) -> dict[str, Any]:
    """Fill `output` with data, a model, a run, two engines and a bench report; returns where they are.

    The result of the bench stands under `bench`. Without `tables` what the commands print goes to stderr.
    Raises ConfigurationError when `output` holds anything but an earlier demo to be replaced.
    """
    if output.exists() and any(output.iterdir()):
        if not (force and (output / MARKER).exists()):
            raise ConfigurationError(
                f"{output} is not empty; give --output a new folder"
                + (", or --force to delete the demo in it." if (output / MARKER).exists() else ".")
            )
        shutil.rmtree(output)
    output.mkdir(parents=True, exist_ok=True)
    (output / MARKER).touch()
    say(f"making {ROWS} labelled sentences and a BERT of 4 layers in {output}")
    write_demo_data(output / "data", seed=0, rows=ROWS)
    make_model(output)
    run, dense, pruned = output / "run", output / "engines" / "dense", output / "engines" / "pruned"
    profile = output / "profile.toml"
    profile.write_text(PROFILE, encoding="utf-8")
    for words in (
        f"search --model {output / 'model'} --dataset {output / 'data'} --profile {profile} --output {run} "
        "--epochs 3 --trials 12 --max-length 32 --learning-rate 5e-4",
        f"pareto {run}",
        f"export {run} --dense --output {dense}",
        f"export {run} --max-drop 2 --output {pruned}",
        f"bench {dense} {pruned} --baseline {dense} --profile {profile} "
        f"--report {output / 'bench.html'} --report {run / 'bench.json'}",
        f"report {run}",
    ):
        say(f"\n$ compresskit {words}")
        command = [sys.executable, "-m", "compresskit", *shlex.split(words)]
        code = subprocess.call(command, stdout=None if tables else sys.stderr)
        if code != 0:
            raise CompresskitError(f"the demo stopped: `compresskit {words}` ended with status {code}.")
    return {
        "path": str(output),
        "run": str(run),
        "engines": [str(dense), str(pruned)],
        "reports": [str(output / "bench.html"), str(run / "report.html")],
        "bench": json.loads((run / "bench.json").read_bytes()),
    }


def make_model(output: Path) -> None:
    """A small BERT with random weights, and a tokenizer of the demo's words."""
    quiet()
    set_seed(0)
    tokenizer = build_demo_tokenizer(read_demo_texts(output / "data"))
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=128,
        num_hidden_layers=4,
        num_attention_heads=4,
        intermediate_size=512,
        max_position_embeddings=128,
        hidden_dropout_prob=0.0,  # from random weights it would take longer than a demo may
        attention_probs_dropout_prob=0.0,
    )
    BertModel(config).save_pretrained(output / "model")
    tokenizer.save_pretrained(output / "model")
