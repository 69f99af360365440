"""`boildown recall`: archived messages that answer a question."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from boildown.errors import UsageError
from boildown_cli.options import TOKENIZER, EmbedderName, MemoryFolder, SessionName, UserName

if TYPE_CHECKING:
    from boildown.memory.embedders import Embedder
    from boildown.memory.messages import Kept, Memory, Scope
    from boildown.memory.passages import Passage

    Show = Callable[[str, Sequence[Passage]], str]
    """A question and passages, as they are printed"""


def recall(
    query: Annotated[str, typer.Argument(metavar="QUERY", help="What is asked: a question, or words.")],
    folder: MemoryFolder,
    session: SessionName = None,
    user: UserName = "",
    since: Annotated[str | None, typer.Option(metavar="DATE", help="Only messages from this day or time on.")] = None,
    until: Annotated[str | None, typer.Option(metavar="DATE", help="Only messages up to this day or time.")] = None,
    role: Annotated[str | None, typer.Option(metavar="ROLE", help="Only messages of this role.")] = None,
    most: Annotated[int, typer.Option("-k", min=1, max=1000, metavar="N", help="How many messages at most.")] = 10,
    max_tokens: Annotated[
        int, typer.Option("--max-tokens", min=1, metavar="TOKENS", help="Tokens that what is printed may take.")
    ] = 2000,
    embed: EmbedderName = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False,
) -> None:
    """Find archived messages that answer a question.

    Found are messages that have the question's words, or stand beside such, best first, each with its score between 0
    and 1, its id in its file, and its neighbours as far as there is room. Only one user's messages are looked at:
    --user's, or else those that were archived without one. Dates are UTC.

    \b
    boildown recall "what did we decide about pricing?" --archive memory
    boildown recall "deploy error" --archive memory --user ada --since 2027-05-01 --role assistant
    boildown recall "which port?" --archive memory --json -k 3
    """
    from boildown.memory.messages import Scope
    from boildown.memory.places import opened
    from boildown.memory.times import bound
    from boildown_cli.files import STDOUT, write
    from boildown_cli.terminal import say

    scope = Scope(user, session, role, bound(since, "--since"), bound(until, "--until", end=True))
    if scope.since is not None and scope.until is not None and scope.since >= scope.until:
        raise UsageError(f"--since {since} is not before --until {until}, so that no message can be meant.")
    with opened(folder) as store:
        check_scope(store, scope)
        show = _json if as_json else _text
        found = _found(store, query, scope, most, max_tokens, embed, show)
    if not found:
        say("nothing was found. Ask in other words, in a wider scope, or with a larger --max-tokens.")
    if found or as_json:
        write([(STDOUT, show(query, found).encode("utf-8", "replace"))])


def check_scope(store: Memory, scope: Scope) -> None:
    """Raise UsageError where the user or the session has nothing in the archive, with what is next to it."""
    import difflib

    from boildown_cli.terminal import one_line

    names = [one.name for one in store.sessions(scope.user)]
    if not names:
        whose = f"--user {scope.user}" if scope.user else "no --user"
        raise UsageError(
            f"{whose}: the archive in {store.folder} has no messages of theirs. "
            "Give --user as 'boildown archive' was given it, or archive something."
        )
    if scope.session is not None and scope.session not in names:
        near = difflib.get_close_matches(scope.session, names, 1, 0.3) or names[-1:]
        raise UsageError(
            f"--session {one_line(scope.session)}: there is no such session. There is {one_line(near[0])}."
        )


def embedder(name: str | None, store: Memory | None, scope: Scope) -> Embedder | None:
    """The embedder called so. Raises UsageError where nothing of the scope was archived with it."""
    from boildown.memory.embedders import load

    model = load(name) if name is not None else None
    if model is not None and store is not None and not store.vectors(model.name, scope).seats:
        raise UsageError(f"--embed {name}: nothing was archived with it. Archive the files again, with --embed {name}.")
    return model


def _found(
    store: Memory, query: str, scope: Scope, most: int, max_tokens: int, embed: str | None, show: Show
) -> list[Passage]:
    from boildown.memory.passages import passages
    from boildown.memory.recall import recall as find
    from boildown.tokens import tokenizer

    hits = find(store, query, scope, most, embedder(embed, store, scope))
    counter = tokenizer(TOKENIZER)

    def size(some: Sequence[Passage]) -> int:
        return counter.count([show(query, some)])[0]

    return passages(store, hits, query, scope, size, max_tokens)


def _text(query: str, found: Sequence[Passage]) -> str:
    """Passages for people: a line on each message, what it says, and a line of each neighbour."""
    return "\n".join(f"{block}\n" for block in map(_block, found))


def _block(passage: Passage) -> str:
    from boildown_cli.terminal import one_line, plain

    kept = passage.hit.kept
    said = kept.said
    head = [f"{passage.hit.score:.2f}", said.id, said.role, said.name, said.time, f"({kept.session}, {kept.file})"]
    head += [f"superseded by {_place(kept, passage.hit.newer)}"] if passage.hit.newer else []
    lines = [one_line("  ".join(filter(None, head)))]
    lines += [_beside(passage.before)] if passage.before else []
    lines += [f"    {line}" for line in plain(passage.text).splitlines()]
    lines += [_beside(passage.after)] if passage.after else []
    return "\n".join(lines)


def _place(kept: Kept, newer: Kept) -> str:
    return newer.said.id if newer.session == kept.session else f"{newer.said.id} of {newer.session}"


def _beside(kept: Kept) -> str:
    from boildown_cli.terminal import one_line

    return f"  {kept.said.id} {one_line(kept.said.name or kept.said.role)}: {one_line(kept.said.text)}"


def _json(query: str, found: Sequence[Passage]) -> str:
    from boildown_cli.render import json_bytes

    return json_bytes({"schema": 1, "query": query, "hits": [_hit(passage) for passage in found]}).decode()


def _hit(passage: Passage) -> dict[str, object]:
    kept = passage.hit.kept
    origin = {key: getattr(kept, key) for key in ("session", "user", "topic", "source", "file")}
    around = {"before": passage.before, "after": passage.after}
    return {
        "score": passage.hit.score,
        **_said(kept, passage.text),
        "whole": passage.whole,
        **origin,
        **{side: _said(one, one.said.text) if one else None for side, one in around.items()},
        "superseded_by": {"id": newer.said.id, "session": newer.session} if (newer := passage.hit.newer) else None,
    }


def _said(kept: Kept, text: str) -> dict[str, object]:
    said = kept.said
    return {"id": said.id, "role": said.role, "name": said.name, "time": said.time, "text": text}
