"""Applying a model to pictures of any size: tiles, picture files with their metadata, whole folders."""
