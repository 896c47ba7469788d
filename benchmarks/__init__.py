"""Benchmarks: one command each, results as JSON and Markdown beside the script."""
