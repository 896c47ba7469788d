"""Model and data of the pipeline's tests, for the methods too."""

from tests.pipeline.conftest import inputs, no_prior, quick

__all__ = ["inputs", "no_prior", "quick"]
