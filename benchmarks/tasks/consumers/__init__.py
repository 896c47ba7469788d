"""Scripts by which other people's tools answer, each run in an environment of its own."""
