"""The archive: every source record, kept for good, and how each output's source is put together from them."""
