"""The stages: one algorithm, one file; `boildown.registry` lists them."""
