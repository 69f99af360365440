"""Many files at once: what is to be done, doing it in processes that may die, and a journal of what is done."""
