"""Secrets in text: where they stand, of which kind they are, and the placeholders that they give way to."""
