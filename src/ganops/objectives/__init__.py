"""Objectives: adversarial losses and penalties as pure functions."""
