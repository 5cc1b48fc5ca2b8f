"""One file per score: pure functions of features or logits, and how the score is asked for in `evaluate.scores`."""
