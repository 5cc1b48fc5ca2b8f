"""One file per stage of dvc.yaml: read the settings, call the library, write the outs, track."""
