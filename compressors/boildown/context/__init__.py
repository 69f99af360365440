"""The best context for the next request: a summary, the newest messages, and older ones that fit the question."""
