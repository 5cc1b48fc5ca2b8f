"""Derivations: columns computed from stored ones on the training device, fresh in every epoch. One file per kind."""
