"""What a search measures of a candidate, and the front that comes of it."""
