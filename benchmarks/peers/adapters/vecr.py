"""vecr-compress: sentences packed into a budget; those that a rule pins stay, unless they alone are too many."""

from functools import partial

from harness import Message, by_budget, first_that_fits, serve
from vecr_compress import compress


def pack(settings: dict, messages: list[Message], budget: float) -> list[Message]:
    return compress(messages, budget_tokens=int(budget), **settings).messages


GENTLE_TO_HARD = ({}, {"retain": False}, {"retain": False, "protect_tail": 0})

serve(first_that_fits(*(by_budget(partial(pack, settings)) for settings in GENTLE_TO_HARD)))
