"""Captured training steps, switched by `train.graphs`: CUDA graphs, and their counterpart on a CPU."""
