"""Block-structured pruning with reweighted group lasso (Li et al. 2020, arXiv 2009.08065)."""
