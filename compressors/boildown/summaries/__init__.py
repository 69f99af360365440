"""Summaries that models make: what is asked for, what is checked, and the message that carries them."""
