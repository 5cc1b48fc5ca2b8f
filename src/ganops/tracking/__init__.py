"""Tracking: one MLflow run per trained model, from its first step to its last score."""
