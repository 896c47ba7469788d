"""Options of a search, as a user gives them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from pathlib import Path
from typing import Annotated

from compresskit.options.declare import Option
from compresskit.options.told import Told

DATA, DEVICE, BUDGET, TRAINING, SEARCH, BLOCKS, RUN = (
    *("Data", "Device", "Budget", "Training", "Search", "Block pruning (method block)", "Run"),
)
# Which methods use an option: those with a super-network, those that search a space, method block.
SUPERNET, SPACE, BLOCK = "supernet", "space", "block"


@dataclass(frozen=True)
class SearchOptions:
    """What a search is asked for. `pipeline.settings` says what a default of None stands for."""

    model: Annotated[str | Path, Option("Hub id or folder of a checkpoint.", DATA)] = ""
    dataset: Annotated[str | Path, Option("Hub id[:config], folder or file.", DATA)] = ""
    profile: Annotated[str | Path, Option("Name of a device profile, or a TOML file.", DEVICE)] = ""
    _: KW_ONLY
    task: Annotated[
        str | None,
        Option("Such as classification, tokens or embedding; see README.", DATA, default="as the labels are"),
    ] = None
    metric: Annotated[str | None, Option("Another metric, such as f1.", DATA, default="the task's")] = None
    text_column: Annotated[
        Sequence[str], Option("Column of a text; twice for pairs.", DATA, repeats=True)
    ] = ()
    label_column: Annotated[str | None, Option("Column of the label.", DATA)] = None
    pooling: Annotated[
        str | None,
        Option(
            "mean, cls, max or lasttoken: how task embedding makes a vector.", DATA, default="the model's own"
        ),
    ] = None
    judge: Annotated[
        Sequence[str | Path],
        Option(
            "Scored pairs or a retrieval set that judges the vectors of the front beside the metric; may be "
            "repeated.",
            DATA,
            repeats=True,
        ),
    ] = ()
    dims: Annotated[
        Sequence[int],
        Option("Widths to which vectors may be shortened, such as 256,128; each is scored.", DATA),
    ] = ()
    max_length: Annotated[
        int | None,
        Option(
            "Tokens to which a text is truncated.",
            DATA,
            default="128; to embed, the model's; to rerank, at most 512",
        ),
    ] = None
    allow_weak_dense: Annotated[
        bool,
        Option(
            "Continue with a fine-tuned checkpoint at or below the majority baseline, or whose labels fit "
            "the data in another order.",
            DATA,
        ),
    ] = False
    precisions: Annotated[
        Sequence[str],
        Option("Precisions to search, such as fp32,int8; each is measured.", DEVICE, default="the profile's"),
    ] = ()
    trials: Annotated[
        int | None,
        Option(
            "Architectures to evaluate.",
            BUDGET,
            default="60; 8 sizes for methods that do not search; no limit with --budget",
        ),
    ] = None
    budget: Annotated[float | str | None, Option("Time for the search itself, such as 30m.", BUDGET)] = None
    max_latency_ms: Annotated[
        float | None, Option("Search for architectures within this latency.", BUDGET)
    ] = None
    max_drop: Annotated[
        float | None, Option("Search within this drop below dense, in points of metric x 100.", BUDGET)
    ] = None
    strategy: Annotated[
        str,
        Option("teacher, standard, random, random_linear, sandwich, kd or full.", TRAINING, used_by=SUPERNET),
    ] = "teacher"
    epochs: Annotated[
        float | None,
        Option(
            "Epochs of the super-network; the dense model gets at most 4, or 300 steps.",
            TRAINING,
            default="about 4,000 batches, but 2 to 8 epochs",
        ),
    ] = None
    batch_size: Annotated[int, Option("Rows in a training batch.", TRAINING)] = 32
    learning_rate: Annotated[
        float | None, Option("Peak learning rate.", TRAINING, default="by the hidden size")
    ] = None
    temperature: Annotated[float, Option("Temperature of distillation.", TRAINING)] = 2.0
    num_random: Annotated[int, Option("Random sub-networks per step.", TRAINING, used_by=SUPERNET)] = 2
    parts: Annotated[
        int | None,
        Option(
            "Parts of the super-network, each for smaller sizes, with strategy teacher.",
            TRAINING,
            default="4 from 4 epochs on, else 1",
            used_by=SUPERNET,
        ),
    ] = None
    importance: Annotated[
        str,
        Option("Order in which heads and units are removed: fisher, taylor, magnitude or none.", TRAINING),
    ] = "fisher"
    method: Annotated[str, Option("nas, block, student, fisher, ...: see docs/methods.md.", SEARCH)] = "nas"
    space: Annotated[str, Option("ranked, small, medium, layer or large.", SEARCH, used_by=SPACE)] = "ranked"
    searcher: Annotated[
        str,
        Option("local-search, mo-rea, nsga2, ehvi, bo-linear, bo-random or random.", SEARCH, used_by=SPACE),
    ] = "local-search"
    objectives: Annotated[
        Sequence[str], Option("metric,latency_ms[,num_params,macs,size_bytes].", SEARCH)
    ] = ("metric", "latency_ms")
    proposals: Annotated[
        int,
        Option(
            "Proposals per trial; the one expected to improve the front most is measured.",
            SEARCH,
            used_by=SUPERNET,
        ),
    ] = 4
    layer_policy: Annotated[
        str, Option("Which layers stay, in space small and at the start of layer: spread or first.", SEARCH)
    ] = "spread"
    unit_multiple: Annotated[int, Option("Units are a multiple of this.", SEARCH)] = 32
    block_counts: Annotated[
        Sequence[int], Option("Numbers of blocks to try, such as 2,4.", BLOCKS, used_by=BLOCK)
    ] = (2, 4)
    block_width: Annotated[
        int | None, Option("Width of a block, instead of their number.", BLOCKS, used_by=BLOCK)
    ] = None
    block_axis: Annotated[
        str | None, Option("outputs or inputs.", BLOCKS, default="the faster", used_by=BLOCK)
    ] = None
    block_scope: Annotated[
        str, Option("Prune each matrix alone, or global over the layers.", BLOCKS, used_by=BLOCK)
    ] = "matrix"
    lasso: Annotated[str, Option("Penalty: reweighted, plain or none.", BLOCKS, used_by=BLOCK)] = "reweighted"
    lasso_strength: Annotated[float, Option("Factor of the penalty.", BLOCKS, used_by=BLOCK)] = 1e-3
    distil: Annotated[bool, Option("The dense model teaches.", BLOCKS, used_by=BLOCK)] = True
    start_run: Annotated[
        str | Path | None, Option("Run with the point to prune further.", BLOCKS, used_by=BLOCK)
    ] = None
    start_trial: Annotated[int | None, Option("Trial of --start-run.", BLOCKS, used_by=BLOCK)] = None
    seed: Annotated[int, Option("Seed of data, training and search.", RUN)] = 0


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """Where a search writes, and what it starts from: given each time, never stored."""

    output: Annotated[str | Path, Option("Folder of the run.", RUN)]
    config: Annotated[str | Path | None, Option("TOML file with these options.", RUN)] = None
    start_from: Annotated[
        str | Path | None, Option("Run whose super-network and scores are reused.", RUN, flag="--from")
    ] = None
    warm_start: Annotated[
        str | Path | None, Option("Run of the same model sizes whose front is tried first.", RUN)
    ] = None
    resume: Annotated[bool, Option("Continue the run in --output.", RUN)] = False
    force: Annotated[bool, Option("Delete the run in --output first.", RUN)] = False


@dataclass(frozen=True)
class SearchCall(RunOptions, SearchOptions, Told):
    """All options of `compresskit search`, and of `compresskit.search`."""
