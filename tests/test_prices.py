"""Prices: the packed table is whole and follows the provider's rules, and a user's file goes before it."""

from __future__ import annotations

import tomllib
from importlib.resources import files
from pathlib import Path

import pytest

from boildown.errors import UsageError
from boildown.prices import Rates, price

MODELS = list(tomllib.loads((files("boildown") / "prices.toml").read_text(encoding="utf-8")))
WHOLE = "input = 1\noutput = 2\ncache_read = 0.1\ncache_write_5m = 1.25\ncache_write_1h = 2\nminimum = 10\n"


@pytest.fixture
def own(tmp_path: Path) -> Path:
    return tmp_path / "own.toml"


@pytest.mark.parametrize("model", MODELS)
def test_writing_costs_a_quarter_more_for_five_minutes_and_twice_as_much_for_an_hour(model: str) -> None:
    found = price(model)
    for rates in filter(None, (found.short, found.long)):
        assert rates.cache_write_5m == pytest.approx(1.25 * rates.input)
        assert rates.cache_write_1h == pytest.approx(2 * rates.input)
        assert 0 < rates.cache_read <= 0.1 * rates.input
    assert found.minimum in (512, 1024, 2048, 4096)


@pytest.mark.parametrize(("tokens", "dollars"), [(100_000, 0.1), (100_001, 0.5)])
def test_a_long_prompt_costs_more_where_the_model_says_so(tokens: int, dollars: float) -> None:
    assert price("claude-haiku-5-5").rates(tokens).input == dollars
    assert price("claude-opus-5-5").rates(tokens).input == 4


def test_what_a_users_file_does_not_say_stays(own: Path) -> None:
    own.write_text("[claude-haiku-5-5]\ninput = 7\n[claude-haiku-5-5.long]\nabove = 5\n")
    found, packed = price("claude-haiku-5-5", str(own)), price("claude-haiku-5-5")
    assert (found.short.input, found.short.output, found.above) == (7, packed.short.output, 5)
    assert (found.long, price("claude-opus-5", str(own))) == (packed.long, price("claude-opus-5"))


def test_a_users_file_adds_a_model(own: Path) -> None:
    own.write_text(f'["local:70b"]\n{WHOLE}')
    found = price("local:70b", str(own))
    assert (found.short, found.minimum, found.long) == (Rates(1, 2, 0.1, 1.25, 2), 10, None)


def test_an_unknown_model_is_an_error_that_lists_those_there_are() -> None:
    with pytest.raises(UsageError, match="'gpt-9'") as caught:
        price("gpt-9")
    assert all(model in str(caught.value) for model in MODELS)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[x]\ninput = 1\n", "own.toml: x: output is missing"),
        (f"[x]\n{WHOLE}".replace("= 1.25", "= -1"), "x: cache_write_5m = -1 is no number"),
        (f"[x]\n{WHOLE}".replace("= 1.25", "= '1'"), "x: cache_write_5m = '1' is no number"),
        (f"[x]\n{WHOLE}long = 3\n", "x: long is no table"),
        (f"[x]\n{WHOLE}[x.long]\nabove = 9\n", "x.long: input is missing"),
        ("x = 3\n", "own.toml: x is no table"),
        ("[x\n", "own.toml: not a TOML file"),
    ],
)
def test_a_file_that_is_wrong_is_an_error_that_names_the_place(own: Path, text: str, said: str) -> None:
    own.write_text(text)
    with pytest.raises(UsageError) as caught:
        price("x", str(own))
    assert said in str(caught.value)


def test_a_file_that_is_not_there_is_an_error_that_says_so(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read: No such file"):
        price("claude-opus-5", str(tmp_path / "none.toml"))
