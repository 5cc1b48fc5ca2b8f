"""Registry: models packaged without pickle, registered once, and promoted through one gate."""
