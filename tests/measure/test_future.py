"""A cut: what the rest used of what the front had stated."""

from __future__ import annotations

from hypothesis import given

from boildown.measure.facts import Kind
from boildown.measure.future import cut
from boildown.tokens import Counter, tokenizer
from boildown.transcript import Framing, Message, Text, ToolCall, ToolResult, Transcript, groups
from strategies import chat, transcripts

COUNTER = Counter(tokenizer("o200k_base"), Framing())
FILLER = "We talked about tides, boats and the weather. " * 30


def session() -> Transcript:
    """Talk, an edit, and its result."""
    return Transcript(
        (
            Message("m1", "user", (Text("Mind src/gate.py, ticket FL-20931 and old_name."),)),
            Message("m2", "assistant", (Text(FILLER),)),
            Message("m3", "assistant", (Text("FL-20931."), ToolCall("c1", "Edit", '{"path": "src/gate.py"}'))),
            Message("m4", "tool", (ToolResult("c1", f"done in new_name. {FILLER}"),)),
        )
    )


def test_calls_of_the_rest_need_what_the_front_stated() -> None:
    found = cut(session(), COUNTER)
    assert found is not None
    assert [m.id for m in found.front.messages] == ["m1", "m2"]
    assert found.needed == {(Kind.PATH, "src/gate.py")}


def test_without_calls_the_words_of_the_rest_need_it() -> None:
    said = ("user", "The code is 4411, said Elena to Marcus.")
    found = cut(chat(said, ("assistant", FILLER), ("user", f"So 4411 is for Elena. {FILLER}")), COUNTER)
    assert found is not None
    assert found.needed == {(Kind.NUMBER, "4411"), (Kind.NAME, "elena")}
    assert found.kept(chat(("user", "Elena has it."))).share == 0.5


@given(transcripts())
def test_a_cut_parts_no_call_from_its_result_and_its_front_keeps_all(transcript: Transcript) -> None:
    found = cut(transcript, COUNTER)
    if found is not None:
        place = len(found.front.messages)
        assert 0 < place < len(transcript.messages)
        assert all((members[0] < place) == (members[-1] < place) for members in groups(transcript.messages))
        assert found.kept(found.front).share == 1.0


def test_nothing_needed_is_no_cut() -> None:
    assert cut(chat(("user", FILLER), ("assistant", "Yes.")), COUNTER) is None
    assert cut(Transcript(()), COUNTER) is None
