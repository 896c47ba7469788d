"""Runs and bench results for people: HTML, Markdown, PNG and terminal tables, from recorded files alone."""

from compresskit.report.files import write_bench, write_report

__all__ = ["write_bench", "write_report"]
