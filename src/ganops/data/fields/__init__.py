"""Fields: what a column is. One file per modality; it alone knows storage, value range, wire form and picture."""
