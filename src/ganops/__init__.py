"""ganops: train, evaluate, compare and promote generative adversarial networks."""

__version__ = "0.1.0"
