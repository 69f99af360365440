"""Models that answer: the calls, what they cost, what they answered before, and the endpoint that they go to."""
