"""headroom-ai: its compress with nothing protected; the share that it takes is for a model, which is a download."""

from harness import Message, fixed, serve
from headroom import compress


def room(messages: list[Message]) -> list[Message]:
    given = [{k: v for k, v in m.items() if k not in ("calls", "tool")} for m in messages]
    return compress(
        given,
        model="gpt-4o",
        compress_user_messages=True,
        protect_recent=0,
        protect_analysis_context=False,
        min_tokens_to_compress=10,
        kompress_model="disabled",
    ).messages


serve(fixed(room))
