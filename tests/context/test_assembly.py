"""Contexts: within the budget and full, accepted by their consumer, the question last, nothing in them twice."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest

from battery import sampled
from boildown import formats, registry
from boildown.context.account import Account
from boildown.context.allocation import Allocation
from boildown.context.assembly import FULL, assembled, context
from boildown.context.conversation import Conversation
from boildown.context.quotation import CLOSE
from boildown.context.session import conversation
from boildown.errors import BudgetError, UsageError
from boildown.formats import anthropic, gemini, openai
from boildown.memory.messages import Origin, Said, Scope
from boildown.memory.store import within_memory
from boildown.run import conversations, reader
from boildown.tokens import Counter, tokenizer
from boildown.transcript import FormatInfo, Message, Text, ToolCall, Transcript
from boildown.validity import added, violations
from quoting import quoting
from roundtrip import SAMPLES, said
from strategies import chat

FACT = "The spare key of the boathouse hangs behind the blue oar."
ASKED = "Where does the spare key of the boathouse hang?"
TALK = chat(
    ("user", FACT),
    *(
        (role, f"Line {n}: we went on about the weather, the boats and the tide tables for a while.")
        for n in range(40)
        for role in ("assistant", "user")
    ),
    ("assistant", "Good night."),
)
LEAST = 250
"""Tokens of which a word is a small part"""
DRESSED = ("own", "anthropic", "openai")


@cache
def sample(path: Path, to: str) -> tuple[Transcript, formats.Format, bytes]:
    form, plain, _ = reader(path.read_bytes(), path.name)
    found = list(conversations(form, plain, path.name))
    transcript = max(found, key=lambda t: len(t.messages))
    transcript = transcript if len(found) == 1 else replace(transcript, source=None)
    return transcript, form if to == "own" else formats.load(to), plain


def counter(info: FormatInfo) -> Counter:
    return Counter(tokenizer(), info.framing)


def made(transcript: Transcript, query: str, budget: int, info: FormatInfo = openai.INFO) -> tuple[Transcript, Account]:
    return assembled(transcript, query, budget, counter(info), info)


def question(transcript: Transcript) -> str:
    """Words of a message in the first half."""
    texts = [m.text for m in transcript.messages if m.role != "system" and m.text.strip()]
    return " ".join(texts[len(texts) // 3].split()[:12])


def budgets(transcript: Transcript, info: FormatInfo, query: str, to: str) -> list[int]:
    count = counter(info)
    least = count.total([m for m in transcript.messages if m.role == "system"]) + len(query) + 40
    return [
        least + (count.total(transcript.messages) - least) * percent // 100
        for percent in ((25, 60, 110) if to == "own" else (40,))
    ]


EACH = [(path, to) for path in sorted(SAMPLES.iterdir()) for to in DRESSED]


@pytest.mark.parametrize(("path", "to"), sampled(EACH, every=5), ids=lambda it: getattr(it, "name", it))
def test_the_promises_hold_on_every_sample(path: Path, to: str) -> None:
    transcript, sink, source = sample(path, to)
    query = question(transcript)
    if path.name == "inspect-ai.json" and to == "own":
        pytest.skip("an eval log holds an evaluation, which a conversation has none of")
    for budget in budgets(transcript, sink.INFO, query, to):
        result, account = made(transcript, query, budget, sink.INFO)
        size = counter(sink.INFO).total(result.messages)
        assert size == account.tokens <= budget
        whole = counter(sink.INFO).total([*(m for m in transcript.messages), Message("q", "user", (Text(query),))])
        assert size >= FULL * min(budget, whole) or budget < LEAST or to != "own"
        assert result.messages[-1].role == "user"
        assert result.messages[-1].text.strip().endswith(query.strip())
        assert_nothing_twice(transcript, result, account)
        assert [f.id for f in account.messages] == [m.id for m in transcript.messages]
        written = b"".join(sink.write([result]))
        was = violations(reader(source, path.name)[0], source)
        assert added(was, violations(sink, written)) == []
        (again,) = conversations(sink, written, path.name)
        assert len(said(again.messages)) >= 1
    again, same = made(transcript, query, budget, sink.INFO)
    assert (again, replace(same, steps=())) == (result, replace(account, steps=()))


def assert_nothing_twice(transcript: Transcript, result: Transcript, account: Account) -> None:
    ids = [i for m in result.messages for i in (m.id, *m.covers)]
    assert len(ids) == len(set(ids))
    whole = {m.id for m, same in result.unchanged() if same} if result.source else set()
    assert not whole & {transcript.messages[f.message].id for f in account.found if f.message >= 0}
    assert [f.place for f in account.found] == sorted(f.place for f in account.found)


def test_what_fits_the_question_is_quoted_with_its_id_and_score() -> None:
    result, account = made(TALK, ASKED, 500)
    quoted = result.messages[-2]
    assert (quoted.id, quoted.role) == ("retrieved", "user")
    assert f"m1 1.00 user: {FACT}" in quoted.text
    assert account.shares.retrieved > 0


def test_shares_are_as_allocated_and_what_one_does_not_use_others_get() -> None:
    _, account = made(TALK, ASKED, 1000)
    room = 1000 - account.shares.query - 3
    assert account.shares.recent > 0.5 * room - 50
    assert account.tokens > 970
    _, account = made(TALK, "zebra", 1000)
    assert (account.shares.retrieved, account.tokens >= 970) == (0, True)
    only = Allocation(0, 1, 0)
    assert assembled(TALK, ASKED, 1000, counter(openai.INFO), openai.INFO, allocation=only)[1].shares.recent > 900


def test_a_conversation_that_fits_is_whole_and_nothing_of_it_is_quoted() -> None:
    result, account = made(TALK, ASKED, 5000)
    assert [(m.id, m.text) for m in result.messages[:-1]] == [(m.id, m.text) for m in TALK.messages]
    assert (account.whole, account.found) == (True, ())


def test_a_question_that_the_file_ends_with_is_not_asked_twice() -> None:
    talk = TALK.with_messages([*TALK.messages, Message("last", "user", (Text(ASKED),))])
    result, _ = made(talk, ASKED, 500)
    assert [m.id for m in result.messages if m.text == ASKED] == ["last"]


def test_an_earlier_quotation_is_not_carried_on() -> None:
    first, _ = made(TALK, ASKED, 500)
    talk = Transcript(tuple(replace(m, id=f"n{i}", pinned=False) for i, m in enumerate(first.messages)))
    second, account = made(talk, "And the tide tables?", 400)
    assert sum(CLOSE in m.text for m in second.messages) <= 1
    assert "it was retrieved for an earlier question" in {f.reason for f in account.messages}


def test_a_call_without_a_result_is_left_out() -> None:
    call = Message("c", "assistant", (ToolCall("1", "look", "{}"),))
    result, account = made(TALK.with_messages([*TALK.messages, call]), ASKED, 3000)
    assert "c" not in {m.id for m in result.messages}
    assert account.messages[-1].reason == "its call has no result"


def test_neighbours_of_one_role_are_one_where_the_format_demands_it() -> None:
    result, account = made(TALK, ASKED, 500, gemini.INFO)
    roles = [m.role for m in result.messages]
    assert all(a != b for a, b in pairwise(roles))
    assert account.tokens <= 500


def test_what_is_cached_ends_before_what_hangs_on_the_question() -> None:
    system = Message("m0", "system", (Text("Be brief. " * 1500),), pinned=True)
    talk = TALK.with_messages([system, *TALK.messages])
    first, one = made(talk, ASKED, 7000, anthropic.INFO)
    second, other = made(talk, "What of the tide tables?", 7000, anthropic.INFO)
    assert one.breakpoints
    assert one.breakpoints == other.breakpoints
    place = [m.id for m in first.messages].index(one.breakpoints[-1]) + 1
    assert first.messages[:place] == second.messages[:place]
    assert made(talk, ASKED, 7000)[1].breakpoints == ()


def test_a_summary_by_a_model_stands_for_what_is_older() -> None:
    stages = registry.parse("abstractive:recent=0")
    result, account = assembled(TALK, ASKED, 900, counter(openai.INFO), openai.INFO, stages=stages, model=quoting())
    assert account.tokens <= 900
    assert result.summaries


def test_a_budget_below_the_question_is_an_error() -> None:
    with pytest.raises(BudgetError, match="with the question"):
        made(TALK, ASKED, 10)
    with pytest.raises(UsageError, match="--query is empty"):
        made(TALK, " ", 500)


# an archive


def archive() -> object:
    store = within_memory()
    with store.transaction():
        store.put(Origin("spring", "ada"), [Said("m7", "user", FACT, "Ada", "2027-04-02T09:00:00", 1806656400.0)])
        store.put(Origin("spring", "bob"), [Said("m9", "user", f"Bob's secret: {FACT}", "Bob")])
    return store


@pytest.mark.parametrize(
    ("user", "there", "not_there"), [("ada", "m7 ", "secret"), ("bob", "secret", "Ada"), ("", "", FACT)]
)
def test_only_the_users_archived_messages_are_quoted(user: str, there: str, not_there: str) -> None:
    talk = TALK.with_messages(TALK.messages[1:])
    for budget in (500, 5000):
        result, _ = assembled(
            talk,
            ASKED,
            budget,
            counter(openai.INFO),
            openai.INFO,
            archive(),
            Scope(user),  # type: ignore[arg-type]
        )
        text = "\n".join(m.text for m in result.messages[:-1])
        assert there in text
        assert not_there not in text


def test_an_archived_message_says_its_session_and_its_day() -> None:
    talk = TALK.with_messages(TALK.messages[1:])
    result, _ = assembled(talk, ASKED, 500, counter(openai.INFO), openai.INFO, archive(), Scope("ada"))  # type: ignore[arg-type]
    assert "-- session spring, 2027-04-02\nm7 1.00 Ada: " in result.messages[-2].text


def test_what_the_file_has_is_not_quoted_from_the_archive() -> None:
    result, _ = assembled(TALK, ASKED, 5000, counter(openai.INFO), openai.INFO, archive(), Scope("ada"))  # type: ignore[arg-type]
    assert "\n".join(m.text for m in result.messages).count(FACT) == 1


def test_an_archived_session_is_a_conversation_again() -> None:
    store = within_memory()
    with store.transaction():
        store.put(Origin("s", "ada"), [Said("m1", "user", "Hello"), Said("m2", "tool", "[result] 4")])
    assert [(m.id, m.role, m.text) for m in conversation(store, Scope("ada", "s")).messages] == [
        ("m1", "user", "Hello"),
        ("m2", "tool", "[result] 4"),
    ]
    assert conversation(store, Scope("bob", "s")).messages == ()


def test_an_index_is_made_once_for_many_questions() -> None:
    talk = Conversation(TALK, openai.INFO, counter(openai.INFO))
    context(talk, ASKED, 500)
    index = talk.index(len(TALK.messages))
    context(talk, "What of the tide?", 500)
    assert talk.index(len(TALK.messages)) is index
