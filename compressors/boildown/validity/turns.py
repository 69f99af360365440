"""Rules on who speaks when, as far as a format's `INFO.rules` demand it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from boildown.formats.convert import join_turns
from boildown.validity.session import Found, Session


def user_first(session: Session) -> Iterator[Found]:
    """The first message that is not the system's is the user's, in formats whose consumer demands it.

    https://platform.claude.com/docs/en/api/messages: input is turns that begin with the user's; an assistant's first
    message is refused ("first message must use the user role").
    """
    if not session.info.rules.user_first:
        return
    first = next((m for m in session.messages if m.role != "system"), None)
    if first is not None and first.role not in ("user", "tool"):
        yield Found(session.place(first)[0], "", f"the conversation begins with a message of the {first.role}'s")


def alternation(session: Session) -> Iterator[Found]:
    """Two messages in a row are not of the same role and name, in formats whose consumer demands it.

    Gemini's chats and chat templates of open models: https://huggingface.co/docs/transformers/chat_templating
    ("Conversation roles must alternate user/assistant/user/assistant/...").
    """
    if not session.info.rules.alternate:
        return
    for before, message in pairwise(session.messages):
        if len(join_turns((before, message))) == 1:
            yield Found(session.place(message)[0], "", f"two messages in a row are of the {message.role}'s")
