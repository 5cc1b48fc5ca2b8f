"""One file per source of images; each has a `collect` that gives a RawDataset."""
