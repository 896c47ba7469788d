"""`compresskit search`: from a model, a data set and a device to a front."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any

import typer

from compresskit.cli.output import JsonOption, emit, say
from compresskit.errors import ConfigurationError

_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0}
_OF_THE_RUN = {"output", "config", "from", "warm_start", "resume", "force", "json"}


def parse_duration(text: str) -> float:
    """Seconds of `90s`, `30m` or `1.5h`; ConfigurationError otherwise."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([smh])", text.strip())
    if match is None:
        raise ConfigurationError(f"budget {text!r} is not a duration; write it as 90s, 30m or 1.5h.")
    return float(match[1]) * _UNITS[match[2]]


def main(
    output: Annotated[Path, typer.Option(help="Folder of the run.")],
    model: Annotated[str | None, typer.Option(help="Hub id or folder of a checkpoint.")] = None,
    dataset: Annotated[str | None, typer.Option(help="Hub id[:config], folder or file.")] = None,
    profile: Annotated[str | None, typer.Option(help="Name of a profile, or a TOML file.")] = None,
    config: Annotated[Path | None, typer.Option(help="TOML file with these options.")] = None,
    method: Annotated[
        str | None,
        typer.Option(help="nas, block, student, fisher, ...: see docs/methods.md.  [default: nas]"),
    ] = None,
    space: Annotated[
        str | None, typer.Option(help="ranked, small, medium, layer or large.  [default: ranked]")
    ] = None,
    strategy: Annotated[
        str | None,
        typer.Option(
            help="teacher, standard, random, random_linear, sandwich, kd or full.  [default: teacher]"
        ),
    ] = None,
    searcher: Annotated[
        str | None,
        typer.Option(
            help="local-search, mo-rea, nsga2, ehvi, bo-linear, bo-random or random.  [default: local-search]"
        ),
    ] = None,
    objectives: Annotated[
        str | None, typer.Option(help="metric,latency_ms[,num_params,macs,size_bytes].")
    ] = None,
    max_latency_ms: Annotated[
        float | None, typer.Option(help="Search for architectures within this latency.")
    ] = None,
    max_drop: Annotated[
        float | None, typer.Option(help="Search within this drop below dense, in points of metric x 100.")
    ] = None,
    precisions: Annotated[
        str | None, typer.Option(help="Precisions to search, such as fp32,int8.  [default: the profile's]")
    ] = None,
    proposals: Annotated[
        int | None,
        typer.Option(help="Proposals per trial; the one expected to improve the front most is measured."),
    ] = None,
    trials: Annotated[
        int | None, typer.Option(help="Architectures to evaluate.  [default: 60; 8 sizes]")
    ] = None,
    budget: Annotated[str | None, typer.Option(help="Time for the search itself, such as 30m.")] = None,
    task: Annotated[str | None, typer.Option(help="classification or regression.")] = None,
    metric: Annotated[
        str | None, typer.Option(help="accuracy, f1, matthews_correlation, ...; by default the task's.")
    ] = None,
    text_column: Annotated[list[str] | None, typer.Option(help="Column of a text; twice for pairs.")] = None,
    label_column: Annotated[str | None, typer.Option(help="Column of the label.")] = None,
    epochs: Annotated[
        float | None,
        typer.Option(help="Epochs of the super-network; the dense model gets at most 4, or 300 steps."),
    ] = None,
    batch_size: Annotated[int | None, typer.Option(help="Rows in a training batch.  [default: 32]")] = None,
    learning_rate: Annotated[float | None, typer.Option(help="Peak learning rate.")] = None,
    max_length: Annotated[
        int | None, typer.Option(help="Tokens to which a text is truncated.  [default: 128]")
    ] = None,
    temperature: Annotated[float | None, typer.Option(help="Temperature of distillation.")] = None,
    num_random: Annotated[int | None, typer.Option(help="Random sub-networks per step.")] = None,
    parts: Annotated[
        int | None,
        typer.Option(
            help="Parts of the super-network, each for smaller sizes.  [default: 4 from 4 epochs on]"
        ),
    ] = None,
    layer_policy: Annotated[str | None, typer.Option(help="Which layers stay: spread or first.")] = None,
    unit_multiple: Annotated[int | None, typer.Option(help="Units are a multiple of this.")] = None,
    block_counts: Annotated[
        str | None, typer.Option(help="Method block: numbers of blocks to try, such as 2,4.")
    ] = None,
    block_width: Annotated[
        int | None, typer.Option(help="Method block: width of a block, instead of their number.")
    ] = None,
    block_axis: Annotated[
        str | None, typer.Option(help="Method block: outputs or inputs; by default the faster.")
    ] = None,
    block_scope: Annotated[
        str | None, typer.Option(help="Method block: prune each matrix alone, or global over the layers.")
    ] = None,
    lasso: Annotated[
        str | None, typer.Option(help="Method block: penalty, reweighted, plain or none.")
    ] = None,
    lasso_strength: Annotated[float | None, typer.Option(help="Method block: factor of the penalty.")] = None,
    distil: Annotated[
        bool | None, typer.Option("--distil/--no-distil", help="Method block: the dense model teaches.")
    ] = None,
    start_run: Annotated[
        Path | None, typer.Option(help="Method block: run with the point to prune further.")
    ] = None,
    start_trial: Annotated[int | None, typer.Option(help="Method block: trial of --start-run.")] = None,
    allow_weak_dense: Annotated[
        bool | None,
        typer.Option(
            "--allow-weak-dense", help="Continue although the checkpoint does not fit the data's labels."
        ),
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of data, training and search.")] = None,
    from_run: Annotated[
        Path | None, typer.Option("--from", help="Run whose super-network and scores are reused.")
    ] = None,
    warm_start: Annotated[
        Path | None, typer.Option(help="Run of the same model sizes whose front is tried first.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Continue the run in --output.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Delete the run in --output first.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Fine-tune a super-network, search it on the device, and write the front."""
    given: dict[str, Any] = {
        "model": model,
        "dataset": dataset,
        "profile": profile,
        "method": method,
        "space": space,
        "strategy": strategy,
        "searcher": searcher,
        "objectives": tuple(objectives.split(",")) if objectives else None,
        "precisions": tuple(precisions.split(",")) if precisions else None,
        "max_latency_ms": max_latency_ms,
        "max_drop": max_drop,
        "proposals": proposals,
        "trials": trials,
        "budget_seconds": parse_duration(budget) if budget else None,
        "task": task,
        "metric": metric,
        "text_columns": tuple(text_column) if text_column else None,
        "label_column": label_column,
        "epochs": epochs,
        "batch_size": batch_size,
        "learning_rate": learning_rate,
        "max_length": max_length,
        "temperature": temperature,
        "num_random": num_random,
        "parts": parts,
        "layer_policy": layer_policy,
        "unit_multiple": unit_multiple,
        "block_counts": _numbers("block counts", block_counts) if block_counts else None,
        "block_width": block_width,
        "block_axis": block_axis,
        "block_scope": block_scope,
        "lasso": lasso,
        "lasso_strength": lasso_strength,
        "distil": distil,
        "start_run": None if start_run is None else str(start_run),
        "start_trial": start_trial,
        "allow_weak_dense": allow_weak_dense,
        "seed": seed,
    }
    settings = {
        **(_read_config(config) if config else {}),
        **{k: v for k, v in given.items() if v is not None},
    }
    if settings.get("budget_seconds") and trials is None and "trials" not in settings:
        settings["trials"] = None  # a time budget alone ends the search
    elif settings.get("trials") and (resume or from_run is not None):
        settings.setdefault("budget_seconds", None)  # not that of the run, which may be spent
    with say.stage("loading libraries"):
        from compresskit.pipeline.search import search
        from compresskit.pipeline.settings import SearchSettings
        from compresskit.report.tables import front_with_verdict
        from compresskit.report.verdict import judge
        from compresskit.runs.directory import RunDirectory

    for option, is_given in (("--warm-start", warm_start), ("--from", from_run), ("--force", force)):
        if resume and is_given:
            raise ConfigurationError(f"--resume continues the run in --output; leave {option} out.")
    if resume:
        front = search(None, output, resume=True, say=say, changes=settings)
    elif from_run is not None:
        front = search(
            None,
            output,
            force=force,
            say=say,
            changes=settings,
            start_from=from_run,
            warm_start=warm_start,
        )
    else:
        missing = [name for name in ("model", "dataset", "profile") if name not in settings]
        if missing:
            raise typer.BadParameter(f"give --{' and --'.join(missing)}, by option or in --config.")
        asked = SearchSettings.from_json(settings)
        front = search(asked, output, force=force, say=say, warm_start=warm_start)
    verdict = judge(front, RunDirectory.open(output).info)
    shown = {**front.to_json(), "verdict": verdict.to_json()}
    emit(shown, as_json, lambda: front_with_verdict(front, verdict))


def _numbers(what: str, text: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise ConfigurationError(f"{what} {text!r} are not whole numbers; write them as 2,4.") from None


def _read_config(path: Path) -> dict[str, Any]:
    import tomllib

    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError(f"configuration {path} cannot be read: {error}.") from None
    values = {name.replace("-", "_"): value for name, value in values.items()}
    for name in _OF_THE_RUN & values.keys():
        raise ConfigurationError(f"{path} sets {name}; give --{name.replace('_', '-')} on the command line.")
    for option, setting in (("text_column", "text_columns"),):
        if option in values:
            texts = values.pop(option)
            values[setting] = tuple([texts] if isinstance(texts, str) else texts)
    for setting in ("objectives", "precisions"):
        if isinstance(values.get(setting), str):
            values[setting] = tuple(values[setting].split(","))
    if isinstance(values.get("block_counts"), str):
        values["block_counts"] = _numbers("block counts", values["block_counts"])
    if "budget" in values:
        values["budget_seconds"] = parse_duration(str(values.pop("budget")))
    return values
