"""What `facts` lists of what questions ask for, and whether the newest value wins (needs ../shared).

    python benchmarks/facts.py                 LoCoMo: evidence that yields a fact; BEAM: newest values
    python benchmarks/facts.py --sample 50     facts drawn at random from LoCoMo's fitted chats, to be read

A value wins where the message that updates it comes before those with the old one in what `recall` finds.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

from boildown.facts.kinds import Kind
from boildown.facts.listing import Fact, facts
from boildown.memory.archiving import archive, said
from boildown.memory.messages import Said, Scope
from boildown.memory.recall import recall
from boildown.memory.store import Store, opened
from boildown.run import conversations, reader

SHARED = Path(__file__).resolve().parents[2] / "shared"
sys.path.insert(0, str(SHARED / "evals"))
from suites import Case, beam, locomo  # noqa: E402

FITTED = ("1", "2", "3", "4")
"""The chats of BEAM that the rules were written with; the figures of the others count"""


@dataclass(frozen=True, slots=True)
class Update:
    """A question for a value that changed: the places of the messages with the old value and with the new one."""

    chat: str
    question: str
    old: frozenset[int]
    new: frozenset[int]


def read(case: Case) -> list[Said]:
    """A case's messages."""
    data = "\n".join(case.lines).encode()
    format, plain, _ = reader(data, case.name)
    return [one for transcript in conversations(format, plain, case.name) for one in said(transcript.messages)]


def evidence(cases: Sequence[Case]) -> None:
    """Print the share of questions' evidence that yields a fact, and how many facts there are a message."""
    print(
        "| chat | messages | facts | messages with a fact | evidence with a fact | and an entity counts |\n"
        "|---|---|---|---|---|---|"
    )
    for case in cases:
        messages = read(case)
        listed = facts(messages)
        stated = {fact.ids[0] for fact in listed if fact.kinds[0] is not Kind.ENTITY}
        named = stated | {id for fact in listed if fact.kinds[0] is Kind.ENTITY for id in fact.ids}
        wanted = [messages[n].id for question in case.questions for n in question.evidence if n < len(messages)]
        shares = [mean(id in some for id in wanted) for some in (stated, named)]
        print(
            f"| {case.name} | {len(messages)} | {len(listed)} | {len(stated) / len(messages):.2f} | "
            f"{shares[0]:.3f} | {shares[1]:.3f} |"
        )


def updates(folder: Path) -> Iterator[Update]:
    """BEAM's questions on knowledge that was updated, by the places of their messages."""
    for chat in sorted(folder.glob("*/chat.json")):
        turns = [t["id"] for batch in json.loads(chat.read_text()) for group in batch["turns"] for t in group]
        place = {id: n for n, id in enumerate(turns)}
        for asked in json.loads((chat.parent / "probing_questions.json").read_text()).get("knowledge_update", []):
            ids = asked["source_chat_ids"]
            old, new = (frozenset(place[i] for i in ids[key]) for key in ("original_info", "updated_info"))
            yield Update(chat.parent.name, asked["question"], old - new, new)


def newest(store: Store, cases: dict[str, Case], asked: Sequence[Update]) -> None:
    """Print for each update whether it was seen to be one, and which message `recall` has first."""
    print("| chat | question | seen | first of the two |\n|---|---|---|---|")
    for update in asked:
        case = cases[update.chat]
        messages = read(case)
        ids = {messages[n].id for n in update.new}
        old = {messages[n].id for n in update.old}
        seen = any(fact.superseded_by in ids for fact in facts(messages) if fact.ids[0] in old)
        hits = [hit.kept.said.id for hit in recall(store, update.question, Scope(session=case.name), 30)]
        first = next(("new" if id in ids else "old" for id in hits if id in ids | old), "neither")
        print(f"| {update.chat} | {update.question} | {'yes' if seen else 'no'} | {first} |", flush=True)


def sample(cases: Sequence[Case], count: int) -> None:
    """Print facts drawn at random, entities aside."""
    drawn = random.Random(7)
    listed: list[tuple[str, Fact]] = []
    for case in cases[:3]:
        listed += [(case.name, fact) for fact in facts(read(case)) if fact.kinds[0] is not Kind.ENTITY]
    for name, fact in drawn.sample(listed, count):
        print(name, fact.ids[0], fact.by, "|", ", ".join(fact.kinds), "|", "; ".join(fact.values), "|", fact.text)
        if fact.superseded_by:
            print("    superseded by", fact.superseded_by)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--sample", type=int)
    given = parser.parse_args()
    cases = [case for path in sorted((SHARED / "data" / "locomo").glob("locomo*.json")) for case in locomo(path)]
    if given.sample:
        sample(cases, given.sample)
        return
    evidence(cases)
    chats = {case.name.rpartition("-")[2]: case for case in beam(SHARED / "data" / "beam" / "100K")}
    with tempfile.TemporaryDirectory() as folder, opened(f"{folder}/memory", write=True) as store:
        for case in chats.values():
            archive(store, "\n".join(case.lines).encode(), f"{case.name}.jsonl", session=case.name)
        newest(store, chats, list(updates(SHARED / "data" / "beam" / "100K")))


if __name__ == "__main__":
    main()
