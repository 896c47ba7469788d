"""Entities in tagged words: schemes, counting, and where words lie in a text. Numpy alone."""
