"""What a search would do, without doing it: data, model, device, checks and time."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from compresskit.display import SILENT, format_seconds
from compresskit.pipeline.check import Checked
from compresskit.pipeline.context import Context
from compresskit.pipeline.training.models import load_dense, load_model
from compresskit.pipeline.training.networks import Networks
from compresskit.pipeline.training.ranks import WatchedRun
from compresskit.pipeline.training.strategy import DENSE
from compresskit.supernet.surgery import blueprint_of
from compresskit.tasks.task import Task
from compresskit.training.recipe import training_device
from compresskit.training.stages import dense_strategy

CHECKS = (
    "options, names and limits",
    "the model's weights against its configuration, its tokenizer and its labels",
    "columns, labels and splits of the data",
    "the device or its agent, its provider and its precision",
    "that the folder of the run is free",
)


@dataclass(frozen=True)
class Preview:
    """What was found of each part, by name; `seconds` that each stage is expected to take."""

    model: dict[str, Any]
    data: dict[str, Any]
    device: dict[str, Any]
    search: dict[str, Any]
    checked: tuple[str, ...]
    seconds: dict[str, float]

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    def lines(self) -> dict[str, str]:
        """All of it, for a person."""
        model, data, device, search = self.model, self.data, self.device, self.search
        rows = ", ".join(f"{name} {count:,}" for name, count in data["rows"].items())
        begins = "is fine-tuned" if model["is_fine_tuned"] else "is fine-tuned first"
        limits = f"{search['trials']} trials" if search["trials"] else "no limit of trials"
        limits += "" if search["budget_seconds"] is None else f", {format_seconds(search['budget_seconds'])}"
        return {
            "model": f"{model['source']}: {model['type']}, {model['num_params'] / 1e6:.1f} M parameters, "
            f"{model['num_layers']} layers; {begins}",
            "data": f"{data['source']}: {', '.join(data['text_columns'])} -> {data['label_column']}",
            "rows": f"{rows} ({data['search_rows']:,} of validation score candidates)"
            + (f", each of at most {data['max_length']} tokens" if data["max_length"] else ""),
            "labels": data["labels"] if isinstance(data["labels"], str) else _mapping(data["labels"]),
            "metric": f"{data['metric_name']}; majority baseline {data['prior']:.4f}",
            "device": ", ".join(f"{name} {value}" for name, value in device.items()),
            "search": f"method {search['method']}, space {search['space']}, {search['searcher']}, {limits}",
            "checked": "; ".join(self.checked),
            "time": f"about {format_seconds(sum(self.seconds.values()))}: "
            + ", ".join(f"{stage} {format_seconds(value)}" for stage, value in self.seconds.items()),
        }


def preview(checked: Checked, output: Path) -> Preview:
    """Describe a search that may begin; the speed of training is measured on some batches."""
    settings, inputs = checked.settings, checked.inputs
    checkpoint, task, profile = inputs.checkpoint, inputs.task, inputs.profile
    folder = output / "preview" if checked.source is None else checked.source.path
    run = WatchedRun(folder, {"settings": checked.stored}, None)
    context = Context.of(run, settings, inputs, SILENT, resume=False)
    networks = Networks(context)
    if checked.source is None:
        model = load_dense(checkpoint, task, settings.seed).model.to(training_device())
    else:
        model = load_model(checked.source.supernet / "dense_model").to(training_device())
    fine_tuned = checkpoint.is_fine_tuned or checked.source is not None
    steps = networks.recipes[DENSE].steps(len(task.train))
    speed = networks.speed_of(model)
    networks.planned(model, None if fine_tuned else dense_strategy(model, task, steps), speed)
    blueprint = blueprint_of(model)
    splits = {"train": task.train, "validation": task.validation, "test": task.test}
    return Preview(
        model={
            "source": checkpoint.source,
            "type": checkpoint.config.model_type,
            "num_params": sum(each.numel() for each in model.parameters()),
            "num_layers": blueprint.dims.num_layers,
            "is_fine_tuned": fine_tuned,
        },
        data={
            "source": task.name,
            "text_columns": list(task.text_columns),
            "label_column": task.label_column,
            "rows": {name: len(split.labels) for name, split in splits.items()},
            "search_rows": len(task.search.labels),
            "max_length": task.max_length or None,
            "labels": _labels(task),
            "metric_name": task.metric_name,
            "prior": task.prior(task.search),
            "notes": list(task.notes),
        },
        device={
            "profile": profile.name,
            "provider": profile.provider,
            "threads": profile.threads or "all",
            **({} if profile.candidates is None else {"candidates": profile.candidates}),
            **{axis: size for axis, size in profile.sizes.items() if axis != "length" or task.max_length},
            "precisions": "+".join(settings.precisions_on(profile)),
        },
        search={
            name: getattr(settings, name)
            for name in ("method", "space", "searcher", "trials", "budget_seconds")
        },
        checked=CHECKS,
        seconds=context.display.expected(speed.seconds_a_step),
    )


def _labels(task: Task) -> list[dict[str, Any]] | str:
    """Id, name and training rows of each class; what stands in their place where there are none."""
    labels = task.train.labels
    if not task.kind.labels:
        return task.kind.describe(labels)
    counts = task.kind.counts(labels)
    return [
        {"id": number, "name": name, "count": int(count)}
        for number, (name, count) in enumerate(zip(task.kind.labels, counts, strict=True))
    ]


def _mapping(labels: list[dict[str, Any]]) -> str:
    return ", ".join(f"{each['id']} = {each['name']} ({each['count']:,})" for each in labels)
