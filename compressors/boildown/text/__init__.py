"""What stages share about language: sentences, protected spans, features."""
