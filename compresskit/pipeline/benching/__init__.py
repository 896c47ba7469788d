"""Parts of a bench: data, gate, history, result, score and verdict."""
