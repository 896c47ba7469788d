"""Engine folders: the manifest, and loading them with onnxruntime and tokenizers alone."""

from compresskit.bundle.loader import Engine, load_engine
from compresskit.bundle.manifest import Manifest, read_manifest, verify

__all__ = ["Engine", "Manifest", "load_engine", "read_manifest", "verify"]
