"""The best front for the compute: every method on every task, at an equal budget."""
