"""Embeddings, rerankers, question answering and multiple choice on real data."""
