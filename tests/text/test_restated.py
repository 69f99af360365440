"""Restated: which sentences never say the same, however near their vectors are, and which do."""

from __future__ import annotations

import pytest

from boildown.text.restated import SURE, read, says_again

NEVER = """
We ship the release on May 4. | We ship the release on May 5.
Please do restart the server tonight. | Please do not restart the server tonight.
I can pay for the dinner. | I can't pay for the dinner.
I like tea but I do not like coffee. | I do not like tea but I like coffee.
You owe me the money for lunch. | I owe you the money for lunch.
Anna pays Bob for the tickets. | Bob pays Anna for the tickets.
Anna will bring the cake tomorrow. | Maria will bring the cake tomorrow.
We fly from Rome to Paris. | We fly to Rome from Paris.
The dog bit the man. | The man bit the dog.
Is the server down again? | The server is down again.
The file is in /etc/nginx/a.conf now. | The file is in /etc/nginx/b.conf now.
Call parse_header before you write. | Call parse_footer before you write.
Version 2.4.1 fixes the crash. | Version 2.4.2 fixes the crash.
The price is $4.50 a kilo. | The price is $4.80 a kilo.
I would like two mochas please. | I would like three mochas please.
I would like a mocha please. | I would like two mochas please.
It takes thirteen days to arrive. | It takes fourteen days to arrive.
We should finish before Friday. | We should finish by Friday.
The meeting is on monday at noon. | The meeting is on tuesday at noon.
He said "hold the line" to us. | He said "cut the line" to us.
All of the tests pass now. | Some of the tests pass now.
I'll come if it is warm. | I'll come, it is warm.
Everyone may enter the building. | Everyone must enter the building.
I can send it tomorrow. | I'll send it tomorrow.
The server is down again. | The server was down again.
The build passed on the main branch. | The build failed on the main branch.
Turn the left light in the kitchen on. | Turn the right light in the kitchen on.
Turn the lights in the kitchen on. | Turn the lights in the kitchen off.
My husband works at the hospital. | My wife works at the hospital.
Die Lieferung kommt am 4. Mai. | Die Lieferung kommt am 5. Mai.
Wir liefern heute nicht mehr aus. | Wir liefern heute mehr aus.
请在周五之前发货。 | 请不要在周五之前发货。
"""
UNLESS_SURE = """
The kids start school in the autumn. | The children start school in the autumn.
What kind of sweetener do you have? | What type of sweetener do you have?
I bought a new car for my mother. | I purchased a new car for my mother.
We fixed the bug in the parser. | We found the bug in the parser.
I'd like an iced latte with almond milk. | I'd like an iced latte with oat milk.
"""
ALWAYS = """
Can I get a mocha please? | Hi, can I get a mocha?
I'd like a latte with oat milk. | I want a latte with oat milk please.
Next month I have an art show in Leeds. | I have an art show in Leeds next month.
We don’t know when the parcel arrives. | We do not know when the parcel arrives.
We can't pay for the dinner. | We cannot pay for the dinner.
I booked the room for June 5. | I have booked a room for June 5.
Please use the side entrance. | Use the side entrance, please.
"""


def pairs(table: str) -> list[tuple[str, str]]:
    rows = (line.split(" | ") for line in table.strip().splitlines())
    return [(one, other) for one, other in rows]


def again(one: str, other: str, cosine: float | None) -> set[bool]:
    return {says_again(read(a), read(b), cosine) for a, b in ((one, other), (other, one))}


@pytest.mark.parametrize(("one", "other"), pairs(NEVER))
def test_another_fact_is_another_sentence_whatever_the_cosine(one: str, other: str) -> None:
    assert again(one, other, 1.0) == {False}


@pytest.mark.parametrize(("one", "other"), pairs(UNLESS_SURE))
def test_another_word_takes_a_model_that_is_sure(one: str, other: str) -> None:
    assert again(one, other, SURE) == {True}
    assert again(one, other, SURE - 0.001) == again(one, other, None) == {False}


def test_in_a_long_sentence_no_model_is_sure_of_another_word() -> None:
    long = "The {} of the old farm moved into the new building behind the station of the small town."
    assert again(long.format("children"), long.format("kids"), 1.0) == {False}


@pytest.mark.parametrize(("one", "other"), pairs(ALWAYS))
def test_the_same_words_say_the_same(one: str, other: str) -> None:
    assert again(one, other, None) == {True}
