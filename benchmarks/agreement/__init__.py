"""The latency that search recorded against the one that bench finds."""
