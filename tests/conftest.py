"""Conditions of every test: no hub, no progress bars, quiet tokenizers."""

from __future__ import annotations

import os

# Set before any library reads them, and inherited by every process a test starts.
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("HF_DATASETS_OFFLINE", "1")
os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
# Models of tests are too small to share between threads, and tests run side by side.
os.environ.setdefault("OMP_NUM_THREADS", "1")
