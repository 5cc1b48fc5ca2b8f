"""Backbones: networks that turn images into the features and logits that scores are computed from."""
