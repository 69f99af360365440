"""Models that commands ask: the options that say how, and the one place where a model is made."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated

import typer

from boildown_cli import completion
from boildown_cli.terminal import one_line, say

if TYPE_CHECKING:
    from boildown.pipeline import Named
    from boildown.presets import Config
    from boildown.prices import Price
    from boildown.summarizers.calls import Model

Name = Annotated[
    str | None,
    typer.Option(
        "--model",
        metavar="NAME",
        help="The model that stages ask which do not name one of their own.",
        autocompletion=completion.models,
    ),
]
DryRun = Annotated[
    bool,
    typer.Option("--dry-run", help="Say how many calls of models it takes and what they cost at most; send nothing."),
]
MaxCost = Annotated[
    float | None,
    typer.Option("--max-cost", min=0, metavar="DOLLARS", help="Stop before the calls of models have cost more."),
]
Batch = Annotated[
    bool, typer.Option("--batch", help="Ask models in Message Batches: half the price, within a day at most.")
]
AtOnce = Annotated[
    int | None, typer.Option("--at-once", min=1, metavar="N", help="Calls of models under way at a time; 4 by default.")
]
Redact = Annotated[
    bool | None,
    typer.Option("--redact/--no-redact", help="Send models placeholders for keys, tokens and passwords; on otherwise."),
]

_IN_STEPS = (
    "--batch: each span of {name!r} is merged into the summary of those before, and waits for a batch of its own, an "
    "hour as a rule. 'hierarchical' asks for its spans at once; 'boildown batch' sends those of several files together."
)

KEYS = ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "ANTHROPIC_BASE_URL")
"""The variables of which one says that there is a model to ask"""


@dataclass(frozen=True, slots=True)
class Asking:
    """How models are to be asked, as far as options said so; `name` and `redact` are there to be looked at."""

    name: str | None = None
    dry_run: bool = False
    max_cost: float | None = None
    batch: bool = False
    at_once: int | None = None
    redact: bool | None = None
    prices: str = ""

    def answering(self, stages: Sequence[Named]) -> Model | None:
        """What answers the stages that ask a model; None where none does.

        Raises UsageError for options that are of no use then, or do not go together. --model is of use to a stage that
        does without a model where there is no key.
        """
        from boildown import registry

        slow = [named.name for named in stages if named.name in registry.IN_STEPS]
        if self.batch and slow:
            _tell(_IN_STEPS.format(name=slow[0]))
        return self.model(registry.models(stages), any(named.name in registry.MAY_ASK for named in stages))

    def model(self, names: Sequence[str], without: bool = False) -> Model | None:
        """What answers the calls of the models called `names`; None where there are none.

        without  whether what --model is for does without one where there is no key
        Raises UsageError for options that are of no use then, or do not go together.
        """
        if not names:
            (replace(self, name=None) if without else self)._check_unused()
            return None
        return self.made(names)

    def made(self, names: Sequence[str]) -> Model:
        """What answers the calls of the models called `names`; UsageError where options exclude each other."""
        from boildown.errors import UsageError
        from boildown.summarizers.models import model
        from boildown.tokens import Counter, tokenizer
        from boildown.transcript import Framing

        if self.batch and self.at_once is not None:
            raise UsageError("--at-once is for single calls, and --batch sends all at once. Leave one out.")
        counter = Counter(tokenizer(), Framing())
        prices = self.priced(names)
        return model(counter, prices, self.max_cost, self.dry_run, self.batch, _tell, self.at_once)

    def _check_unused(self) -> None:
        from boildown.errors import UsageError
        from boildown.registry import ASKING

        given = {
            "--model": self.name is not None,
            "--dry-run": self.dry_run,
            "--max-cost": self.max_cost is not None,
            "--batch": self.batch,
            "--at-once": self.at_once is not None,
            "--redact": self.redact is True,
            "--no-redact": self.redact is False,
        }
        said = [option for option, is_given in given.items() if is_given]
        if said:
            raise UsageError(
                f"{', '.join(said)}: only stages that ask a model use this, and --pipeline has none. "
                f"Add one ({', '.join(ASKING)}), or leave it out."
            )

    def priced(self, names: Sequence[str]) -> Mapping[str, Price]:
        """The models' prices; a model without any, as one of one's own, costs nobody knows what."""
        from boildown.errors import UsageError
        from boildown.prices import price

        found: dict[str, Price] = {}
        for name in names:
            try:
                found[name] = price(name, self.prices)
            except UsageError:
                if self.prices or self.max_cost is not None:
                    raise
        return found


def reachable() -> bool:
    """Whether one of KEYS says that there is a model to ask."""
    return any(os.environ.get(key, "").strip() for key in KEYS)


def levels(name: str | None, known: Config | None) -> dict[str, str]:
    """Options of the stage `auto`: the file that has its levels, and the model called `name`, if there is a key.

    Says on stderr where there is none: then it goes on offline.
    """
    given = {"levels": known.path} if known is not None and known.levels else {}
    if name is not None and not reachable():
        say(f"--model {name}: there is no key for it; what 'auto' sums up is cut offline. Set ANTHROPIC_API_KEY.")
        return given
    return given if name is None else {**given, "model": name}


def _tell(text: str) -> None:
    say(one_line(text))


def guarded(stages: Sequence[Named], redact: bool | None) -> Sequence[Named]:
    """`stages`, with `redact` in front where one of them asks a model, unless it is not to be.

    Raises UsageError where it is there and is not to be.
    """
    from boildown import registry
    from boildown.errors import UsageError

    if not registry.models(stages):
        return stages
    if not any(named.name == "redact" for named in stages):
        return stages if redact is False else [registry.make("redact", {}), *stages]
    if redact is False:
        raise UsageError("--no-redact: the pipeline has the stage 'redact'. Leave one of them out.")
    return stages
