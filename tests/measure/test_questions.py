"""Questions are read with errors that name the line, and answers survive with what was asked near to them."""

from __future__ import annotations

from pathlib import Path

import pytest

from boildown.errors import InputError
from boildown.measure.questions import Question, read
from boildown.measure.retention import retention
from boildown.tokens import Counter, tokenizer
from boildown.transcript import Framing, Transcript
from strategies import chat

COUNTER = Counter(tokenizer("o200k_base"), Framing())
ORIGINAL = chat(
    ("user", "The deposit for the lodge is 1068 pounds."),
    ("assistant", "Noted. And the coach?"),
    ("user", "The coach costs 385 pounds, both ways, from Penrith."),
)
COACH = Question("What does the coach cost?", "385 pounds", ("m3",))


def kept(question: Question, *spoken: str) -> tuple[float, float | None]:
    found = retention(ORIGINAL, chat(*(("user", s) for s in spoken)), COUNTER, [question]).answers
    assert found is not None
    return round(found.share, 2), found.evidence


@pytest.mark.parametrize(
    ("spoken", "share"),
    [
        ("The coach costs 385 pounds, both ways, from Penrith.", (1.0, 1.0)),
        ("Coach costs 385 pounds.", (1.0, 0.0)),
        ("385 pounds.", (0.0, 0.0)),
        ("The coach.", (0.0, 0.0)),
        ("The deposit is 1068 pounds.", (0.0, 0.0)),
    ],
)
def test_an_answer_survives_beside_what_was_asked(spoken: str, share: tuple[float, float]) -> None:
    assert kept(COACH, spoken) == share


def test_evidence_is_named_by_id_or_by_index_from_0() -> None:
    by_index = Question(COACH.text, COACH.answer, (2,))
    assert kept(by_index, "Coach, 385.") == kept(COACH, "Coach, 385.")


def test_without_evidence_the_whole_original_is_looked_at() -> None:
    assert kept(Question(COACH.text, COACH.answer), "The coach is 385 pounds.") == (1.0, None)


def test_a_question_that_the_original_does_not_answer_is_skipped() -> None:
    found = retention(ORIGINAL, ORIGINAL, COUNTER, [COACH, Question("Who sings?", "Tom Jones")]).answers
    assert found is not None
    assert (found.total, found.skipped, found.share) == (1, 1, 1.0)


def test_the_one_number_is_the_answers_share_where_there_are_questions() -> None:
    assert retention(ORIGINAL, chat(("user", "Coach costs 385 pounds.")), COUNTER, [COACH]).share == 1.0
    assert retention(ORIGINAL, Transcript(()), COUNTER, [COACH]).share == 0.0


@pytest.mark.parametrize("evidence", ["m4", "x", 3, -1])
def test_evidence_that_is_not_there_is_an_error_that_names_it(evidence: str | int) -> None:
    with pytest.raises(InputError, match=r"'What does the coach cost\?'.*m1 to m3"):
        retention(ORIGINAL, ORIGINAL, COUNTER, [Question(COACH.text, COACH.answer, (evidence,))])


def test_questions_are_read_line_by_line(tmp_path: Path) -> None:
    path = tmp_path / "qa.jsonl"
    path.write_text('\ufeff{"question": "Who?", "answer": 7, "evidence": ["m1", 2]}\n\n{"question":"A","answer":"B"}\n')
    assert read(str(path)) == [Question("Who?", "7", ("m1", 2)), Question("A", "B")]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b"{", r"qa\.jsonl:2: this is no JSON"),
        (b"[]", r"qa\.jsonl:2: this is no object"),
        (b'{"question": "Q"}', r"qa\.jsonl:2: answer is no text"),
        (b'{"question": " ", "answer": "A"}', r"qa\.jsonl:2: question is no text"),
        (b'{"question": "Q", "answer": true}', r"qa\.jsonl:2: answer is no text"),
        (b'{"question": "Q", "answer": "A", "evidence": "m1"}', r"qa\.jsonl:2: evidence is no list"),
        (b'{"question": "Q", "answer": "A", "evidence": [true]}', r"qa\.jsonl:2: evidence is no list"),
        (b"\xff\xfe", "not UTF-8"),
    ],
)
def test_a_line_that_is_no_question_is_named(line: bytes, said: str, tmp_path: Path) -> None:
    path = tmp_path / "qa.jsonl"
    path.write_bytes(b'{"question": "Q", "answer": "A"}\n' + line + b"\n")
    with pytest.raises(InputError, match=said):
        read(str(path))


def test_no_questions_are_an_error(tmp_path: Path) -> None:
    (tmp_path / "qa.jsonl").write_text("\n")
    with pytest.raises(InputError, match="no questions"):
        read(str(tmp_path / "qa.jsonl"))
    with pytest.raises(InputError, match="cannot be read"):
        read(str(tmp_path / "none.jsonl"))
