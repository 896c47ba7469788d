"""The networks of a run: checkpoints read, dense model and super-network trained."""
