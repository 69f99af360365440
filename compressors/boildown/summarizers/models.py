"""Which model is asked: the endpoint call by call, in batches, or none, for what it would cost."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from boildown.prices import Price
from boildown.summarizers.account import Account, Bounds
from boildown.summarizers.answers import Answers, folder
from boildown.summarizers.batches import Batches
from boildown.summarizers.claude import AT_ONCE, Claude, endpoint
from boildown.summarizers.dry import DryRun

if TYPE_CHECKING:
    from boildown.summarizers.calls import Model
    from boildown.tokens import Counter


def model(
    counter: Counter,
    prices: Mapping[str, Price],
    limit: float | None = None,
    dry_run: bool = False,
    batch: bool = False,
    tell: Callable[[str], None] | None = None,
    at_once: int | None = None,
) -> Model:
    """What asks the endpoint that ANTHROPIC_BASE_URL names, and spends `limit` dollars at most.

    prices   by model, as they are without batches; a model that is missing costs nobody knows what
    dry_run  nothing is sent: `spending` is what it would take
    batch    in Message Batches; `tell` is called with what becomes of them
    at_once  calls under way at a time, without batches
    """
    answers = Answers(folder(), endpoint())
    account = Account(Bounds(counter, prices, batched=batch), limit)
    if dry_run:
        return DryRun(answers, account)
    return Batches(answers, account, tell) if batch else Claude(answers, account, at_once or AT_ONCE)
