"""What was stated in a conversation, by rules for English: who said it, when, and whether something newer holds."""
