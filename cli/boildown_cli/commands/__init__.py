"""One command, one file, and in it one function of the same name."""
