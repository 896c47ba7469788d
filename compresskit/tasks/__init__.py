"""Data sets: where they come from, how they are split, encoded, batched and scored."""
