"""A model that answers every request for a summary with sentences of what it was sent, as many as it may."""

from __future__ import annotations

import re

from boildown.summaries.prompts import GONE, LINE
from boildown.summaries.summary import SECTIONS
from boildown.summarizers.calls import Request
from boildown.summarizers.scripted import Scripted
from model_server import Received, Reply

_TAG = re.compile(r"</?\w+>|^---.*$|^## .*$", re.MULTILINE)


def quoting() -> Scripted:
    """A new one."""
    return Scripted(quoted)


def quoted(request: Request, most: int = 40) -> str:
    """At most so many sentences spread over what was sent, in all sections by turns; of lines to be mended, none."""
    wanted = re.search(r"at most (\d+) words", request.prompt)
    if wanted is None:
        return f"<{LINE}>{GONE}</{LINE}>" * request.prompt.count(f"<{LINE}>")
    data = request.prompt[: wanted.start()].rpartition("</")[0]
    said = [line for part in re.split(r"(?<=[.!?])\s|\n", _TAG.sub("", data)) if (line := part.strip("- \t"))]
    step, left, chosen = max(1, len(said) // most), int(wanted[1]), list[str]()
    for line in said[::step]:
        left -= len(line.split())
        if left < 0:
            break
        chosen.append(line)
    names = list(SECTIONS)
    return "\n".join(f"<{(n := names[i % len(names)])}>\n- {line}\n</{n}>" for i, line in enumerate(chosen))


def replied(received: Received) -> Reply:
    """The same over the wire."""
    return Reply(quoted(Request(received.body["model"], received.system, received.said, received.body["max_tokens"])))
