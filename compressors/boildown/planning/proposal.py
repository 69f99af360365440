"""What a model is told of a conversation, and the pipeline that it proposes: its answer is data, and is checked."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from math import isfinite

from boildown import registry
from boildown.errors import UsageError
from boildown.pipeline import Named
from boildown.planning.alternatives import Alternative, finishes
from boildown.planning.figures import Figures
from boildown.summarizers.calls import Request
from boildown.summarizers.tags import elements, fenced, rule

THINKING = 4096
ANSWER = 4096
"""Tokens of an answer. Models that decide themselves how long they think have both for it."""
TAGS = ("transcript", "kind", "keep", "pipeline", "pins", "why")
MOST_STAGES = 8
MOST_PINS = 10
SHORTEST, LONGEST = 4, 200
"""Characters of a phrase that pins"""

_TASK = """\
You plan how a conversation is made smaller, so that it takes no more than a number of tokens and somebody can still go
on with it. {rule}

It is made smaller by a pipeline: stages in order with commas between them, each with options where its defaults do not
fit, such as dedup,prioritize:recency=1,prune. A stage takes out what is worth least by its own measure until it is
small enough; those after it do the rest. There are no other stages and no other options than these:
{stages}

You are given figures, what pipelines keep of the conversation's facts at that number of tokens, and excerpts. The facts
are numbers, dates, names, paths, decisions, questions and the like, and all count alike; from the excerpts you may know
better which of them matter. Take what keeps most, unless you have a reason.

Reply in this form and with nothing else:
<kind>what this conversation is, in one sentence</kind>
<keep>what of it has to be kept, a line each, at most five lines</keep>
<pipeline>stages and options</pipeline>
<pins>phrases that stand letter for letter in the few messages that must stay whole, a line each, {pins} at most</pins>
<why>why this pipeline, in one or two sentences</why>"""

_AGAIN = "\n\nYour last reply cannot be used: {why} Reply once more, in the form that is asked for."


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a model answered, with a pipeline that can be run. All else in it is words for people.

    pins  phrases, of which nobody has yet looked whether they stand in the conversation
    """

    pipeline: str
    kind: str = ""
    keep: tuple[str, ...] = ()
    pins: tuple[str, ...] = ()
    why: str = ""


def asking(model: str, figures: Figures, found: Iterable[Alternative], excerpts: str) -> Request:
    """Asks which pipeline fits; nothing of the conversation but `excerpts` is sent in its words."""
    system = _TASK.format(rule=rule(["transcript"]), stages="\n".join(map(_told, offered())), pins=MOST_PINS)
    rows = "\n".join(map(_row, found))
    prompt = "\n\n".join(
        [
            "Figures:\n" + "\n".join(figures.lines()),
            f"Pipelines at {figures.target:,} tokens:\n{rows}",
            "Excerpts, long messages without their middle:\n" + fenced("transcript", excerpts, TAGS),
            f"Which pipeline fits this conversation, to make it {figures.ratio:.1f} times smaller?",
        ]
    )
    stand_in = f"<pipeline>{registry.DEFAULT}</pipeline>"
    return Request(model, system, prompt, THINKING + ANSWER, stand_in=stand_in, thinking=THINKING)


def again(request: Request, why: str) -> Request:
    """The same once more, after an answer of no use; `why` quotes nothing of it."""
    return replace(request, prompt=request.prompt + _AGAIN.format(why=why))


def offered() -> list[str]:
    """The stages that a model may choose from: those that take something out."""
    return [name for name in registry.names() if not finishes(name)]


def numeric(name: str) -> list[registry.Option]:
    """The options of a stage that a model may set. Those that are text name code, files and models to be used."""
    return [option for option in registry.options(name) if option.type in (int, float, bool)]


def _told(name: str) -> str:
    options = "".join(f"\n  {o.name}={o.default}: {o.help}" for o in numeric(name))
    return f"{name}: {registry.summary(name)}{options}"


def _row(one: Alternative) -> str:
    if one.kept is None:
        cost = "" if one.dollars is None else f" and about ${one.dollars:.4f}"
        return f"{one.pipeline}: about {one.calls:,} calls of a model{cost}; what it keeps is not known"
    return f"{one.pipeline}: keeps {one.kept:.3f}"


def read(text: str) -> Proposal | str:
    """The proposal in an answer, or why it is of no use, in a sentence that quotes nothing of it."""
    specs = {spec for inner in elements(text, "pipeline") if (spec := re.sub(r"[\s`]+", "", inner))}
    if len(specs) != 1:
        return "it has no <pipeline>." if not specs else "it has several pipelines."
    try:
        stages = _checked(specs.pop())
    except UsageError:
        return "its pipeline has a stage or an option that there is not, or a value that cannot be."
    return Proposal(
        registry.spec(stages),
        kind=" ".join(_lines(text, "kind")),
        keep=tuple(_lines(text, "keep")),
        pins=tuple(filter(_pins, map(_bare, _lines(text, "pins")))),
        why=" ".join(_lines(text, "why")),
    )


def _checked(spec: str) -> list[Named]:
    """The stages of a spec from a model. Raises UsageError before anything is made of what was not offered."""
    stages, known = registry.split(spec), offered()
    names = [name for name, _ in stages]
    if not names or len(names) > MOST_STAGES or len(set(names)) < len(names) or not set(names) <= set(known):
        raise UsageError("no such stages")
    for name, given in stages:
        if not given.keys() <= {option.name for option in numeric(name)} or not all(map(_finite, given.values())):
            raise UsageError("no such option")
    return registry.parse(spec)


def _finite(value: str) -> bool:
    try:
        return isfinite(float(value))
    except ValueError:
        return value.lower() in ("true", "false", "yes", "no")


def _lines(text: str, name: str) -> list[str]:
    return [" ".join(line.split()) for inner in elements(text, name)[:1] for line in inner.splitlines() if line.strip()]


def _bare(line: str) -> str:
    """A line without the sign of a list and without quotes around it."""
    line = re.sub(r"^[-*•]\s+", "", line)
    return line[1:-1] if len(line) > 1 and line[0] == line[-1] and line[0] in "\"'`" else line


def _pins(phrase: str) -> bool:
    return SHORTEST <= len(phrase) <= LONGEST and phrase.isprintable()


def pattern(phrases: Sequence[str], base: str | None) -> str:
    """A regular expression for `base` and for any of `phrases`, which are taken letter for letter."""
    return "|".join([*([base] if base else []), *map(re.escape, phrases)])
