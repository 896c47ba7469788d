"""What a run keeps in its folder and uses again."""
