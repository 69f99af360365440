"""A stream of messages that is kept within a model's window for as long as it runs, and taken up again."""
