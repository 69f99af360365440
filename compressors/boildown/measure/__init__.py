"""What survives of a conversation in another, measured without a model."""
