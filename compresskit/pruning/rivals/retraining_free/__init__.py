"""Pruning without any training (Kwon et al. 2022, arXiv 2204.09656): search, rearrange, tune."""
