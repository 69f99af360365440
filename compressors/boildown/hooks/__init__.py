"""What an agent's client runs at certain moments: how that gets into its settings, and what is done then."""
