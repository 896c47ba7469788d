"""Latency as it is measured: how quickly, how steadily, how far from the truth, and through an agent."""
