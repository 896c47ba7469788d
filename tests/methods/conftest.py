"""Model and data of the pipeline's tests, for the methods too."""

from tests.pipeline.conftest import inputs, no_prior

__all__ = ["inputs", "no_prior"]
