"""Other ways to choose what a smaller network keeps, to compare a search with."""
