"""A learned correction of what words are worth: features, the scorer's file, and how it is trained."""
