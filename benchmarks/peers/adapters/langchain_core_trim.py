"""langchain-core's trim_messages: the newest messages that fit, the oldest of them in part."""

from harness import Message, by_budget, cost, serve
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, trim_messages

KIND = {"assistant": AIMessage}


def trim(messages: list[Message], budget: float) -> list[Message]:
    given = [
        KIND.get(m["role"], HumanMessage)(m["content"], name=m.get("name"), id=str(i)) for i, m in enumerate(messages)
    ]
    kept = trim_messages(given, max_tokens=int(budget), token_counter=count, strategy="last", allow_partial=True)
    return [_message(m) for m in kept]


def count(messages: list[BaseMessage]) -> int:
    return cost(map(_message, messages))


def _message(message: BaseMessage) -> Message:
    return {
        "role": "assistant" if isinstance(message, AIMessage) else "user",
        "name": message.name,
        "content": str(message.text),
    }


serve(by_budget(trim))
