"""What usage records teach of a provider's tokens: which messages they cover, and how well they foretell others."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from boildown.formats import detect
from boildown.formats.anthropic import FRAMING
from boildown.provider.calibration import FEWEST, MOST, Calibration, calibrated
from boildown.provider.usage import spans
from boildown.tokens import Counter, tokenizer
from boildown.transcript import Framing, Transcript
from roundtrip import files

COUNTER = Counter(tokenizer(), FRAMING)
WORDS = ("harbour", "violin", "glacier", "lantern", "compass", "meadow", "falcon", "quarry", "timber", "orchard")
REAL = files("claude-code/entire-cli/*.jsonl", "pi/large-session.jsonl")


def answer(number: int, prompt: int, **fields: object) -> dict[str, object]:
    """A record of an answer to a prompt of so many tokens, of which most came from the cache."""
    usage = {"input_tokens": 3, "cache_read_input_tokens": prompt - 10, "cache_creation_input_tokens": 7}
    message = {"id": f"msg_{number}", "role": "assistant", "model": "claude-opus-5", "usage": usage}
    message |= {"content": [{"type": "text", "text": f"Answer {number}."}]}
    return {"type": "assistant", "uuid": f"a{number}", "sessionId": "s", "message": message, **fields}


def asked(number: int, text: str = "Go on.") -> dict[str, object]:
    return {"type": "user", "uuid": f"u{number}", "sessionId": "s", "message": {"role": "user", "content": text}}


def session(*records: dict[str, object]) -> Transcript:
    data = "".join(json.dumps(record) + "\n" for record in records).encode()
    (transcript,) = detect(data, "it").read(data)
    return transcript


def found(*records: dict[str, object]) -> list[tuple[list[str], int]]:
    return [([m.id for m in span.messages], span.tokens) for span in spans(session(*records))]


def other_model(record: dict[str, object], name: str) -> dict[str, object]:
    return {**record, "message": {**record["message"], "model": name}}  # type: ignore[dict-item]


def test_a_span_goes_from_one_answer_to_the_next() -> None:
    records = [asked(1), answer(1, 100), asked(2), asked(3), answer(2, 150), asked(4), answer(3, 170)]
    assert found(*records) == [(["m2", "m3", "m4"], 50), (["m5", "m6"], 20)]


def test_the_records_of_one_answer_count_once() -> None:
    twice = [answer(1, 100), answer(1, 100, uuid="a1b"), asked(2), answer(2, 150), answer(2, 150, uuid="a2b")]
    assert found(asked(1), *twice) == [(["m2", "m3"], 50)]
    copied = [answer(1, 100), asked(2), answer(2, 150), answer(1, 100), asked(3), answer(3, 190)]
    assert [tokens for _, tokens in found(asked(1), *copied)] == [50, 40]


@pytest.mark.parametrize(
    "between",
    [
        answer(9, 20, isSidechain=True),
        answer(9, 40),
        other_model(answer(9, 120), "claude-haiku-5-5"),
    ],
    ids=["a sub-agent spoke", "the prompt shrank", "another model answered"],
)
def test_what_is_no_growth_of_one_prompt_is_no_span(between: dict[str, object]) -> None:
    records = [asked(1), answer(1, 100), asked(2), between, asked(3), answer(3, 30), asked(4), answer(4, 45)]
    assert [tokens for _, tokens in found(*records)] == [15]


@pytest.mark.parametrize("model", ["<synthetic>", "gpt-5"])
def test_records_of_no_claude_teach_nothing(model: str) -> None:
    assert found(asked(1), *(other_model(answer(n, 100 * n), model) for n in (1, 2, 3))) == []


def made(text: float, framing: float, count: int = 60, noise: float = 0.1) -> Transcript:
    """A session charged by known factors; one span in twelve holds much that was not recorded."""
    draw, prompt, records = random.Random(4), 5000, [asked(0)]
    for n in range(count):
        records += [answer(n, prompt), asked(n + 1, " ".join(draw.choices(WORDS, k=draw.randrange(5, 400))))]
        kinds = COUNTER.by_kind(session(*records[-2:]).messages)
        frames = sum(tokens for (_, kind), tokens in kinds.items() if kind == "framing")
        prompt += int((text * (sum(kinds.values()) - frames) + framing * frames) * (1 + noise * (draw.random() - 0.5)))
        prompt += 3000 if n % 12 == 6 else 0
    return session(*records, answer(count, prompt))


def test_known_factors_are_found_again() -> None:
    learned = calibrated(spans(made(1.25, 4.0)), COUNTER)
    assert learned.text == pytest.approx(1.25, rel=0.03)
    assert learned.framing == pytest.approx(4.0, rel=0.3)
    assert 0 <= learned.error < 0.05


def test_several_conversations_teach_together() -> None:
    parts = [list(spans(made(1.25, 4.0, count=FEWEST // 2 + 2))) for _ in range(2)]
    assert [calibrated(part, COUNTER) for part in parts] == [MOST, MOST]
    assert calibrated([*parts[0], *parts[1]], COUNTER).spans > FEWEST


@pytest.mark.parametrize("transcript", [Transcript(()), made(1.2, 4, count=5), made(0.3, 1), made(5.0, 5)])
def test_too_few_records_or_absurd_ones_leave_the_most_that_was_seen(transcript: Transcript) -> None:
    assert calibrated(spans(transcript), COUNTER) == MOST


def test_framing_is_weighed_in_the_tokens_of_texts() -> None:
    framed = Calibration(1.25, 5.0, 100, 0.04).framed(Framing(message=4, name=1, block=6, reply=3))
    assert (framed.message, framed.name, framed.block, framed.reply) == (16, 4, 24, 12)
    assert Calibration(1.25, 5.0, 100, 0.04).factor == pytest.approx(1.3)


def test_records_of_what_was_taken_out_teach_nothing() -> None:
    whole = made(1.25, 4.0)
    cut = whole.with_messages(m for n, m in enumerate(whole.messages) if n % 8 not in (3, 4))
    assert calibrated(spans(whole), COUNTER) != MOST
    assert calibrated(spans(cut), COUNTER) == MOST


@pytest.mark.parametrize("path", REAL)
def test_real_sessions_agree_on_the_factors(path: Path) -> None:
    data = path.read_bytes()
    found = [span for transcript in detect(data, path.name).read(data) for span in spans(transcript)]
    learned = calibrated(found, COUNTER)
    assert (learned == MOST) == (len(found) < FEWEST)
    if learned != MOST:
        assert 1.08 < learned.text < 1.25
        assert 3 < learned.framing < 8
        assert learned.error < 0.15
