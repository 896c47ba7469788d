"""The super-network: sub-networks that run on slices of one set of weights."""
