"""Which way of training a super-network gives the best sub-networks for the compute."""
