"""Which concrete facts a text states, and in what form they are the same."""

from __future__ import annotations

import pytest
from hypothesis import given

from boildown.measure.facts import Kind, concrete, names
from strategies import TALK

D, N, P, I, U = Kind.DATE, Kind.NUMBER, Kind.PATH, Kind.IDENTIFIER, Kind.URL  # noqa: E741


@pytest.mark.parametrize(
    ("text", "facts"),
    [
        ("It costs £4,860 or 4860 pounds.", {(N, "4860")}),
        ("16 % off, that is 16%.", {(N, "16%")}),
        ("90s, 3.5 GB and 12km", {(N, "90s"), (N, "3.5"), (N, "12km")}),
        ("Take 3 of the 16th.", {(N, "16")}),
        ("on 14 May 2027, that is May 14th, 2027", {(D, "2027-05-14")}),
        ("am 3. März, le 3 mars, el 3 de marzo", {(D, "03-03")}),
        ("2027-05-14 and 2027-05-14T08:30:00Z", {(D, "2027-05-14")}),
        ("in May 2027", {(D, "2027-05")}),
        ("You may 12 times.", {(D, "05-12")}),
        ("at 9:30, 9:30 pm or 9 pm", {(D, "09:30"), (D, "21:30"), (D, "21:00")}),
        ("01/02/2027", {(D, "1/2/2027")}),
        ("see src/gate.py, ./run or ~/.config/x", {(P, "src/gate.py"), (P, "./run"), (P, "~/.config/x")}),
        ("and/or, e.g. 24/7", {(N, "24")}),
        ("edit gate.py", {(P, "gate.py")}),
        ("open_seconds, lockGate, LockGate", {(I, "open_seconds"), (I, "lockGate"), (I, "LockGate")}),
        ("commit 7c41d9e, ticket FL-20931, bus X4", {(I, "7c41d9e"), (I, "FL-20931"), (I, "X4")}),
        ("effaced and defaced", set()),
        ("<b>x</b> </details> // see //nolint", set()),
        (r"gate.py\nNo gate", {(P, "gate.py")}),
        ("src/gate.py-496-    pass", {(P, "src/gate.py")}),
        ("id 0442a060-EDC3-4307-bddb-11a2951fd1a1", {(I, "0442a060-edc3-4307-bddb-11a2951fd1a1")}),
        ("https://a.example/b?c=1.", {(U, "https://a.example/b?c=1")}),
        ("logs/2027-05-14/12.txt", {(P, "logs/2027-05-14/12.txt")}),
        ("   120→gates = 14", {(N, "14")}),
        ("02:00:25 ERROR", set()),
        ("3.11.12", {(N, "3.11.12")}),
    ],
)
def test_facts_are_found_in_their_normal_form(text: str, facts: set[tuple[Kind, str]]) -> None:
    assert concrete(text) == facts


@given(TALK, TALK)
def test_two_texts_state_what_each_states(one: str, other: str) -> None:
    assert concrete(f"{one}\n\n{other}") == concrete(one) | concrete(other)


@pytest.mark.parametrize(
    ("texts", "found"),
    [
        (["We met Elena in Leeds."], {"elena", "leeds"}),
        (["The Gate. Then the Gate closed, and a gate opened."], set()),
        (["It's for HR, said Dana."], {"hr", "dana"}),
        (["I think I'll go on Friday in May"], {"friday"}),
        (["Vamos a Oaxaca y después a Mérida"], {"oaxaca", "mérida"}),
    ],
)
def test_names_have_a_capital_inside_of_a_sentence_and_nowhere_none(texts: list[str], found: set[str]) -> None:
    assert names(texts) == found
