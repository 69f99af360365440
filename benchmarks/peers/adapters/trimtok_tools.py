"""trimtok: each tool's result by itself, a shell's as terminal output."""

from harness import Message, fixed, serve
from trimtok.core import compress_terminal
from trimtok.dedup import compress_tool_result

SHELLS = {"Bash", "shell", "shell_command", "exec_command", "local_shell"}


def trim(messages: list[Message]) -> list[Message]:
    session = f"session-{id(messages)}"
    return [{**m, "content": _trimmed(m, session)} if m["role"] == "tool" else m for m in messages]


def _trimmed(message: Message, session: str) -> str:
    if message["tool"] in SHELLS:
        return compress_terminal("", message["content"], session_id=session, delta_enabled=True)[0]
    return compress_tool_result(message["tool"], message["content"], session_id=session)[0]


serve(fixed(trim))
