"""Tracking: one MLflow run tells the whole story of one trained model."""
