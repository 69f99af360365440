"""A writer's summaries: asked again, shortened, checked, mended, and in the end cut offline."""

from __future__ import annotations

import pytest

from boildown.errors import AnswerError, CostError, ModelError
from boildown.summaries.summary import Summary
from boildown.summaries.writing import INVENTED, Task, Writer
from boildown.summarizers.calls import Request
from boildown.summarizers.scripted import Scripted
from boildown.tokens import Counter, tokenizer
from boildown.transcript import Framing, Message, Text

COUNTER = Counter(tokenizer(), Framing())
TALK = (
    Message("m1", "user", (Text("Order 4711 cost 1,250 euros. The dog ate the receipt."),), name="Anna"),
    Message("m2", "assistant", (Text("The refund of order 4711 goes out on 3 May 2024."),)),
)
TASK = Task(200, TALK)
GOOD = "<facts>\n- Order 4711 cost 1,250 euros.\n</facts>"
MIXED = "<facts>\n- Order 4711 cost 1,250 euros.\n- The refund is 9,999 euros.\n</facts>"


def wrote(*answers: str | Exception, task: Task = TASK) -> tuple[Scripted, object]:
    """The model after it gave `answers` in turn, the last one for ever, and what was made of them."""
    left = list(answers)

    def reply(request: Request) -> str:
        answer = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    model = Scripted(reply)
    (made,) = Writer(model, "m", COUNTER).write([task])
    return model, made


def test_a_good_answer_is_the_summary() -> None:
    model, made = wrote(GOOD)
    assert made.summary == Summary({"facts": ("Order 4711 cost 1,250 euros.",)})
    assert (made.found, made.why_cut, len(model.asked)) == (0, "", 1)
    assert made.read > sum(COUNTER.texts(m.text for m in TALK))


def test_an_answer_of_no_use_is_asked_for_once_more() -> None:
    for useless in ("PWNED", AnswerError("m was cut off at 9 tokens.")):
        model, made = wrote(useless, GOOD)
        assert made.summary.lines() == [("facts", "Order 4711 cost 1,250 euros.")]
        assert len(model.asked) == 2
        assert model.asked[1].prompt.startswith(model.asked[0].prompt)


@pytest.mark.parametrize("answer", ["PWNED", AnswerError("m refused to answer."), ModelError("no connection")])
def test_what_no_answer_comes_for_is_cut_offline(answer: str | Exception) -> None:
    model, made = wrote(answer)
    assert made.why_cut
    assert made.summary.sections == {}
    assert "4711" in "".join(made.summary.cut)
    assert sum(COUNTER.texts([made.summary.body()])) <= TASK.tokens
    assert len(model.asked) == (1 if type(answer) is ModelError else 2)


def test_of_an_answer_that_is_cut_off_twice_all_but_its_last_line_is_taken() -> None:
    cut_off = AnswerError("m was cut off at 9 tokens.", "<facts>\n- Order 4711 cost 1,250 euros.\n- The dog a")
    model, made = wrote(cut_off)
    assert made.summary.lines() == [("facts", "Order 4711 cost 1,250 euros.")]
    assert len(model.asked) == 2


def test_what_stops_all_calls_is_raised() -> None:
    with pytest.raises(CostError):
        wrote(CostError("stopped"))


def test_a_line_that_says_more_than_its_source_is_mended() -> None:
    model, made = wrote(MIXED, "<line>The refund goes out on 3 May 2024.</line>")
    assert [line for _, line in made.summary.lines()] == [
        "Order 4711 cost 1,250 euros.",
        "The refund goes out on 3 May 2024.",
    ]
    assert (made.found, made.mended, made.dropped) == (1, 1, 0)
    assert "9,999" in model.asked[1].prompt
    assert "3 May 2024" in model.asked[1].prompt


@pytest.mark.parametrize(
    "answer", ["<line>The refund is 8,888 euros.</line>", "<line>-</line>", "no lines", ModelError("overloaded")]
)
def test_a_line_that_stays_wrong_is_dropped(answer: str | Exception) -> None:
    _, made = wrote(MIXED, answer)
    assert [line for _, line in made.summary.lines()] == ["Order 4711 cost 1,250 euros."]
    assert (made.found, made.mended, made.dropped) == (1, 0, 1)


def test_of_a_line_that_stays_wrong_the_sentences_that_are_right_stay() -> None:
    _, made = wrote("<facts>\n- The dog ate the receipt. It cost 77 euros.\n</facts>", "<line>-</line>")
    assert [line for _, line in made.summary.lines()] == ["The dog ate the receipt."]


def test_where_nothing_of_an_answer_is_right_the_source_is_cut() -> None:
    _, made = wrote("<facts>\n- It cost 77 euros.\n</facts>", "<line>-</line>")
    assert made.why_cut == INVENTED
    assert "4711" in made.summary.body()


LONG = "<facts>\n" + "- Order 4711 cost 1,250 euros, and the dog ate the receipt. It did.\n" * 1 + "</facts>"


def test_a_summary_that_is_too_long_is_asked_for_again_and_then_cut_at_a_sentence() -> None:
    task = Task(24, TALK)
    model, made = wrote(LONG, GOOD, task=task)
    assert made.summary.lines() == [("facts", "Order 4711 cost 1,250 euros.")]
    assert "<draft>" in model.asked[1].prompt
    _, made = wrote(
        "<facts>\n- The dog ate the receipt. Order 4711 cost 1,250 euros, it said.\n</facts>", task=Task(20, TALK)
    )
    assert made.summary.lines() == [("facts", "The dog ate the receipt.")]


def test_what_came_earlier_is_a_source_as_well() -> None:
    earlier = Summary({"facts": ("The budget was 500 euros.",)})
    task = Task(200, TALK, earlier=earlier)
    _, made = wrote("<facts>\n- The budget was 500 euros.\n</facts>", task=task)
    assert made.found == 0
    _, made = wrote("", task=task)
    assert "500 euros" in made.summary.body()
    assert "4711" in made.summary.body()


def test_all_tasks_are_asked_at_once() -> None:
    batches = list[int]()

    class Watched(Scripted):
        def ask(self, requests):
            batches.append(len(requests))
            return super().ask(requests)

    Writer(Watched(lambda request: GOOD), "m", COUNTER).write([TASK] * 5)
    assert batches == [5]
