"""Faster CPU kernels, installed by the training job and switched by `train.cpu_kernels`."""
