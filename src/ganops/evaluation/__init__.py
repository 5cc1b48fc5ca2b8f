"""Evaluation: images -> features -> statistics -> scores, each score with its uncertainty and its protocol."""
