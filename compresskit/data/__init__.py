"""Data sets: readers, columns, groups and splits, before any task sees them."""
