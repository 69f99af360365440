"""The ledger: what the taken-out part of a session did, line by line, from its tool calls and without a model."""
