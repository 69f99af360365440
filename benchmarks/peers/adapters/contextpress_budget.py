"""contextpress: its manager with a token budget; the type that kept most in a trial."""

from contextpress import ContextManager
from harness import Message, by_budget, serve


def press(messages: list[Message], budget: float) -> list[Message]:
    kind = "agent" if any(m["role"] == "tool" for m in messages) else "rag_doc"
    given = [{k: m[k] for k in ("role", "name", "content", "tool_call_id") if k in m} for m in messages]
    return ContextManager(type=kind, compression="low").compress(given, token_budget=max(1, int(budget)))


serve(by_budget(press))
