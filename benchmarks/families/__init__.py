"""Random models of base size of each family: parity, cutting, latency."""
