"""boildown: boil AI conversations down to a token budget, and show where every token went."""
