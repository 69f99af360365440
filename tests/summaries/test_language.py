"""The language of a span by its function words; none where they do not tell."""

from __future__ import annotations

import pytest

from boildown.summaries.language import spoken

SAID = [
    ("English", "Hi Anna, we still have to book the ferry. The crossing on 3 May costs 128 euros with the car."),
    ("German", "Hallo Jonas, wir müssen die Fähre noch buchen. Die Überfahrt am 3. Mai kostet 128 Euro mit dem Auto."),
    ("French", "La réunion avec le propriétaire est fixée au 12 juin à 14 h. Le loyer passe à 950 euros."),
    (
        "Spanish",
        "Tenemos que reservar el hotel antes del viernes. El perro puede venir con nosotros, y la cama también.",
    ),
    ("Italian", "Dobbiamo prenotare il traghetto per la Sardegna prima di venerdì, e il cane viaggia con noi gratis."),
    ("Portuguese", "O senhorio disse que a renda sobe para 950 euros, mas eu não sei quando é que ele a quer."),
    ("Dutch", "We moeten de boot naar Texel nog boeken. De overtocht kost 40 euro met de auto en de hond mag mee."),
    ("Russian", "Нам нужно купить билеты на поезд до пятницы. Я уже посмотрела, они стоят 3000 рублей."),
    ("", "Musimy zarezerwować hotel przed piątkiem. Pokój kosztuje 90 euro, a pies może jechać z nami."),
    ("", "Vi skal bestille færgen til Bornholm. Overfarten den 3. maj koster 900 kroner med bil."),
    ("", "金曜日までにホテルを予約しなければなりません。"),
    ("", "src/app.py:12: error: Name 'x' is not defined [name-defined]"),
    ("", ""),
]


@pytest.mark.parametrize(("language", "text"), SAID)
def test_a_language_is_told_by_its_function_words(language: str, text: str) -> None:
    assert spoken([text]) == language


def test_of_several_texts_most_of_what_is_said_tells() -> None:
    german, english = SAID[1][1], SAID[0][1]
    assert spoken([german, german, "OK, do it."]) == "German"
    assert spoken([german, english]) == ""
