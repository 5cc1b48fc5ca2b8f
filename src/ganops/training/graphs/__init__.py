"""Captured training steps: CUDA graphs, and their counterpart on a CPU; switched by `train.graphs`."""
