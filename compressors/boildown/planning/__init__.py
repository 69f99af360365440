"""Which pipeline fits a conversation: its figures, what each pipeline keeps of it, and what a model makes of that."""
