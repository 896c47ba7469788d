"""What a run keeps in its folder, and takes up again."""
