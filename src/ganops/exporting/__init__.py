"""Trained models in the forms that other places take."""
