"""Training of the dense model, of the super-network, and of a chosen point."""
