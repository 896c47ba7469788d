"""Searchers on one super-network: the area that each one's trials dominate."""
