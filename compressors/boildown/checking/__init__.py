"""Whether conversations keep to limits: what the limits are, where each is broken, and how files grew."""
