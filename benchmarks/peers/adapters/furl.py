"""furl-ctx: compress_to, which goes through its settings from gentle to hard until one fits."""

from furl_ctx import compress_to
from harness import Attempt, Message, attempt, serve


def solve(messages: list[Message], budget: int) -> list[Attempt]:
    return [attempt(lambda given, ask: compress_to(given, int(ask), model="gpt-4o").messages, messages, budget)]


serve(solve)
