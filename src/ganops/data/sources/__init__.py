"""Sources of data, one file each. To add one, add a file: a class that joins the registry SOURCES of source.py."""
