"""`boildown facts`: what was stated in a session, by whom and when, and what no longer holds."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Annotated

import typer

from boildown_cli import completion, models
from boildown_cli.options import ArchiveFolder, Conversation, ReadAs, UserName

if TYPE_CHECKING:
    from boildown.facts.listing import Fact
    from boildown.memory.messages import Said


def facts(
    name: Annotated[
        str, typer.Argument(metavar="SESSION", help="A session of the archive; without --archive, a file, or -.")
    ],
    archive: ArchiveFolder = None,
    user: UserName = "",
    conversation: Conversation = None,
    read_as: ReadAs = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False,
    model: Annotated[
        str | None,
        typer.Option(
            "--model",
            metavar="NAME",
            help="The model that looks for facts, too, in any language.",
            autocompletion=completion.models,
        ),
    ] = None,
    dry_run: models.DryRun = False,
    max_cost: models.MaxCost = None,
    redact: models.Redact = None,
) -> None:
    """List what was stated in a session, the newest first.

    Preferences, decisions, what people tell of themselves, dates, numbers with their units, and names: each sentence
    with the message that it is from, who said it, and when; "last Friday" with the day that it was. What something
    newer superseded stands behind that, and says so. The rules are for English.

    With --model a model looks, too. What it names is listed only where the message that it names has a sentence that
    says so, and in that sentence's own words.

    \b
    boildown facts chat.json
    boildown facts holidays --archive memory --user ada --json
    boildown facts chat.json --model claude-haiku-5-5 --dry-run
    """
    from boildown.facts.listing import facts as listed
    from boildown_cli.files import STDOUT, write
    from boildown_cli.render import json_bytes
    from boildown_cli.terminal import say

    said = _archived(name, archive, user) if archive is not None else _read(name, conversation, read_as, user)
    asking = models.Asking(model, dry_run, max_cost, redact=redact)
    more = _asked(said, asking, name)
    if dry_run:
        return
    found = listed(said, more)
    if as_json:
        write([(STDOUT, json_bytes({"schema": 1, "session": name, "facts": found}))])
    elif found:
        write([(STDOUT, _text(found).encode("utf-8", "replace"))])
    else:
        say(f"{name}: no fact was found. The rules are for English; 'boildown recall' finds words of any language.")


def _asked(said: Sequence[Said], asking: models.Asking, where: str) -> Sequence[Fact]:
    """What a model finds, and on stderr what became of that; in a dry run what it would take, and nothing else."""
    from boildown.errors import UsageError
    from boildown.facts.asked import asked
    from boildown.tokens import Counter, tokenizer
    from boildown.transcript import Framing
    from boildown_cli.summed import at_most, spent
    from boildown_cli.terminal import number, one_line, say, tell

    if asking.name is None:
        if asking != models.Asking():
            raise UsageError("--dry-run, --max-cost and --redact are for a model. Name one with --model.")
        return ()
    model = asking.made([asking.name])
    found = asked(said, model, asking.name, Counter(tokenizer(), Framing()), asking.redact is not False)
    if asking.dry_run:
        tell(at_most(model.spending, [asking.name]))
        return ()
    dropped = f"{found.dropped:,} dropped as their message does not say them"
    say(f"facts: {found.named:,} found by {one_line(asking.name)}, {dropped}; {spent(model.spending)}")
    if found.useless:
        say(f"{one_line(where)}: {number(found.useless, 'answer')} of the model could not be read.")
    return found.facts


def _archived(session: str, folder: str, user: str) -> list[Said]:
    from boildown.errors import UsageError
    from boildown.memory.messages import Scope
    from boildown.memory.places import opened
    from boildown_cli.terminal import one_line

    with opened(folder) as store:
        found = store.said(Scope(user, session))
        if found:
            return [kept.said for kept in found]
        names = [one.name for one in store.sessions(user)]
    there = (
        f"There is {one_line(', '.join(names[-5:]))}"
        if names
        else "They have none: give --user as 'boildown archive' had it"
    )
    whose = f"of --user {user}" if user else "without a --user"
    raise UsageError(f"{one_line(session)}: there is no such session {whose}. {there}.")


def _read(path: str, n: int | None, read_as: str | None, user: str) -> list[Said]:
    from boildown.errors import UsageError
    from boildown.memory.archiving import said
    from boildown_cli.files import conversations, title

    if user:
        raise UsageError("--user: whose archive? Give --archive DIR, or leave --user out to read a file.")
    found = list(conversations(path, read_as)[1])
    if n is None and len(found) == 1:
        return said(found[0].messages)
    if n is None or n > len(found):
        raise UsageError(
            f"{title(path)}: it has {len(found)} conversations. Say which with --conversation 1 and so on."
        )
    return said(found[n - 1].messages)


def _text(found: Sequence[Fact]) -> str:
    """A section for each kind, a line for each fact, its values behind it."""
    parts = []
    for kind, some in groupby(found, key=lambda fact: fact.kinds[0]):
        parts.append("\n".join([str(kind).capitalize(), *map(_line, some)]))
    return "\n\n".join(parts) + "\n"


def _line(fact: Fact) -> str:
    from boildown_cli.terminal import one_line

    more = f" and {len(fact.ids) - 1} more" if len(fact.ids) > 1 else ""
    head = "  ".join(filter(None, (f"{fact.ids[0]}{more}", fact.by, fact.time)))
    values = f" [{'; '.join(fact.values)}]" if fact.values else ""
    ended = f" (superseded by {fact.superseded_by})" if fact.superseded_by else ""
    return "  " + one_line(f"{head}: {fact.text}{values}{ended}", 600)
