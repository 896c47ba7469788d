"""How an engine folder is loaded, by task, as its model card says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from compresskit.bundle.manifest import Manifest
from compresskit.inputs import PIXELS, TOKEN_IDS
from compresskit.supernet.classes import head_of


class Loader(NamedTuple):
    """A tool, and the code by which it loads the folder FOLDER."""

    title: str
    language: str
    code: str


def loading(manifest: Manifest, *, transformers_own: bool = True) -> list[str]:
    """Lines of Markdown: a title and a block of code for each tool that loads it.

    Other tools know no classes but `transformers_own`.
    """
    settings = manifest.session
    speed = (
        f"; for the measured speed set {settings}" if settings.get("options") else " at the measured speed"
    )
    hub_task = manifest.kind.hub_task
    names = {"TASK": hub_task, "ORTMODEL": f"ORTModel{head_of(hub_task)}", "EXAMPLE": manifest.kind.example}
    names["READER"] = "Pillow" if manifest.kind.reads == PIXELS else "tokenizers"
    lines: list[str] = []
    others = _OTHERS.get(manifest.kind.name, _PIPELINES) if transformers_own else ()
    for loader in (_COMPRESSKIT, *others, _PYTORCH):
        lines += _code(loader, names)
    return [
        *lines,
        f"Plain onnxruntime loads `onnx/model.onnx`{speed}; {_READERS[manifest.kind.reads]}",
    ]


def _code(loader: Loader, names: Mapping[str, str]) -> list[str]:
    title, text = loader.title, loader.code
    for name, value in names.items():
        title, text = title.replace(name, value), text.replace(name, value)
    return [f"{title}:", "", f"```{loader.language}", *text.strip().splitlines(), "```", ""]


_COMPRESSKIT = Loader(
    "compresskit: onnxruntime and READER, no PyTorch",
    "python",
    """
from compresskit import load_engine

engine = load_engine("FOLDER")
answers = engine.predict([EXAMPLE])
""",
)
_PYTORCH = Loader(
    "PyTorch",
    "python",
    """
from compresskit import load_pruned

model = load_pruned("FOLDER")
""",
)
_PIPELINES = (
    Loader(
        "optimum-onnx",
        "python",
        """
from optimum.onnxruntime import ORTMODEL
from transformers import AutoTokenizer, pipeline

model = ORTMODEL.from_pretrained("FOLDER")
answer = pipeline("TASK", model=model, tokenizer=AutoTokenizer.from_pretrained("FOLDER"))
""",
    ),
    Loader(
        "Transformers.js, with this folder below `models/`",
        "js",
        """
import { env, pipeline } from "@huggingface/transformers";

env.localModelPath = "models/";
env.allowRemoteModels = false;
const answer = await pipeline("TASK", "FOLDER", { dtype: "fp32" });
""",
    ),
)
_VECTORS = (
    Loader(
        "sentence-transformers, with transformers 4 and optimum-onnx",
        "python",
        """
from sentence_transformers import SentenceTransformer

model = SentenceTransformer("FOLDER", backend="onnx", model_kwargs={"file_name": "onnx/model.onnx"})
vectors = model.encode(["some text"])
""",
    ),
    *_PIPELINES[1:],
)
_PAIRS = (
    Loader(
        "sentence-transformers, with transformers 4 and optimum-onnx",
        "python",
        """
from sentence_transformers import CrossEncoder

model = CrossEncoder("FOLDER", backend="onnx", model_kwargs={"file_name": "onnx/model.onnx"})
scores = model.predict([EXAMPLE])
""",
    ),
    Loader(
        "fastembed",
        "python",
        """
from fastembed.common.model_description import ModelSource
from fastembed.rerank.cross_encoder import TextCrossEncoder

source = ModelSource(hf="FOLDER")
TextCrossEncoder.add_custom_model("FOLDER", model_file="onnx/model.onnx", sources=source)
model = TextCrossEncoder("FOLDER", specific_model_path="FOLDER")
scores = list(model.rerank("a query", ["a passage"]))
""",
    ),
)
_CHOICES = (
    Loader(
        "optimum-onnx, for which no pipeline exists",
        "python",
        """
import torch
from optimum.onnxruntime import ORTMODEL
from transformers import AutoTokenizer

model, tokenizer = ORTMODEL.from_pretrained("FOLDER"), AutoTokenizer.from_pretrained("FOLDER")
question, choices = EXAMPLE
batch = tokenizer([question] * len(choices), choices, padding=True, truncation=True, return_tensors="pt")
with torch.no_grad():
    logits = model(**{name: value.unsqueeze(0) for name, value in batch.items()}).logits  # (1, choices)
""",
    ),
)
_IMAGES = (
    Loader(
        "optimum-onnx",
        "python",
        """
from optimum.onnxruntime import ORTMODEL
from transformers import AutoImageProcessor, pipeline

model = ORTMODEL.from_pretrained("FOLDER")
answer = pipeline("TASK", model=model, image_processor=AutoImageProcessor.from_pretrained("FOLDER"))(EXAMPLE)
""",
    ),
    *_PIPELINES[1:],
)
_READERS = {
    TOKEN_IDS: "`tokenizer.json` is for the tokenizers package, and cuts texts as training did.",
    PIXELS: "`preprocessor_config.json` says how images are resized, cropped and scaled.",
}
_OTHERS = {"embedding": _VECTORS, "rerank": _PAIRS, "choice": _CHOICES, "image": _IMAGES}
"""By task; others have a pipeline."""
