"""A finished run's super-network: what its search cost, and random sub-networks."""
