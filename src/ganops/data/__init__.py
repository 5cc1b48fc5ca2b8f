"""Data: sources in, one packed uint8 tensor file per split and a manifest out."""
