"""What scores words, by name."""

from __future__ import annotations

import json

import numpy as np
import pytest

from boildown import registry
from boildown.errors import UsageError
from boildown.pipeline import Context, compress
from boildown.scoring import choice
from boildown.tokens import Counter, tokenizer
from boildown.transcript import FormatInfo, Message, Text, Transcript

TALK = Transcript(
    tuple(
        Message(f"m{n}", "user", (Text(f"then Ada saw boats {n} near the lighthouse and went home"),)) for n in range(8)
    )
)


def compressed(pipeline: str) -> str:
    context = Context(Counter(tokenizer(), FormatInfo("x", "", "").framing), 70)
    return compress(TALK, registry.parse(pipeline), context)[0].messages[-1].text


class Found:
    """Stands for an installed package's entry point."""

    name, value = "longest", f"{__name__}:longest"


def longest(found, messages, costs, framing):
    return (found.end - found.start).astype(float)


def broken(found, messages, costs, framing):
    return np.full(3, np.nan)


@pytest.fixture(autouse=True)
def plugins(monkeypatch):
    other = type("Other", (), {"name": "broken", "value": f"{__name__}:broken"})
    monkeypatch.setattr(choice, "entry_points", lambda group: [Found, other] if group == choice.PLUGINS else [])
    monkeypatch.setattr(
        choice, "import_module", lambda module: type("module", (), {"longest": longest, "broken": broken})
    )
    choice._plugin.cache_clear()


def test_a_plug_in_scores_the_pieces() -> None:
    assert "lighthouse" in compressed("prune:scorer=longest")


def test_a_plug_in_that_gives_no_numbers_is_told_of_by_name() -> None:
    with pytest.raises(UsageError, match="'broken' has to give"):
        compressed("prune:scorer=broken")


def test_a_file_of_weights_scores_words(tmp_path) -> None:
    path = tmp_path / "names.json"
    path.write_text(json.dumps({"format": "boildown-scorer", "version": 1, "weights": {"name": 9.0}}))
    assert compressed(f"prune:scorer={path}") != compressed("prune:scorer=none")
    assert "Ada" in compressed(f"prune:scorer={path}")


def test_an_unknown_name_says_what_there_is() -> None:
    with pytest.raises(UsageError, match="Installed are: broken, longest"):
        registry.parse("prune:scorer=nobody")
