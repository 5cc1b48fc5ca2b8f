"""Imported before processes are forked: the digits and the module of each kind, which each would read itself."""

from __future__ import annotations

from importlib import import_module

from tiny_training import digits

from ganops.games.game import GAMES
from ganops.networks.network import NETWORKS

digits()
for kinds in (GAMES, NETWORKS):
    for kind in kinds.names():
        import_module(kinds.module_of(kind) or __name__)
