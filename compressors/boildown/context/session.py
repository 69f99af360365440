"""An archived session as a conversation again."""

from __future__ import annotations

from collections import Counter

from boildown.memory.messages import Memory, Scope
from boildown.transcript import Message, Text, Transcript


def conversation(memory: Memory, scope: Scope) -> Transcript:
    """The messages of the scope's session, as the store has them: as text, calls and results of tools included.

    They are called as in their files; where a name comes again, its number is added.
    """
    often, messages, topic = Counter[str](), list[Message](), ""
    for kept in memory.whole(scope):
        said, topic = kept.said, kept.topic
        often[said.id] += 1
        name = said.id if often[said.id] == 1 else f"{said.id}-{often[said.id]}"
        messages.append(Message(name, said.role, (Text(said.text),), said.name or None, said.time or None))
    return Transcript(tuple(messages), title=topic)
