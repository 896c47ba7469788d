"""A checkpoint: its folder, configuration, tokenizer and weights, checked before anything is written."""
