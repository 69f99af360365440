"""llmslim: its compress, which takes a text and the share to keep.

Its planner, plan_context, takes messages and a budget, but took 46 s for a chat of 12,000 tokens.
"""

from harness import Message, by_share, plain, serve, whole
from llmslim import compress


def slim(messages: list[Message], share: float) -> list[Message]:
    mode = None if any(m["role"] == "tool" for m in messages) else "chat"
    return whole(compress(plain(messages), target_ratio=share, mode=mode).compressed_text)


serve(by_share(slim))
