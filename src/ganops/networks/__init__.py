"""Networks: one file per architecture. A file adds its networks to `NETWORKS` under the kinds that recipes name."""
