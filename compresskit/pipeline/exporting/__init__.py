"""From a point of the front to a verified engine."""
