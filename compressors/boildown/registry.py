"""Stage names to stages: the built-in table, plug-ins by entry point, and the pipeline spec."""

from __future__ import annotations

import dataclasses
import difflib
import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any, cast, get_type_hints

from boildown.errors import UsageError
from boildown.pipeline import Named, Stage

STAGES: dict[str, str] = {
    "abstractive": "boildown.stages.abstractive:Abstractive",
    "archive": "boildown.stages.archive:Archive",
    "auto": "boildown.stages.auto:Auto",
    "cache": "boildown.stages.cache:Cache",
    "cluster": "boildown.stages.cluster:Cluster",
    "condense": "boildown.stages.condense:Condense",
    "dedup": "boildown.stages.dedup:Dedup",
    "delta": "boildown.stages.delta:Delta",
    "extractive": "boildown.stages.extractive:Extractive",
    "hierarchical": "boildown.stages.hierarchical:Hierarchical",
    "ledger": "boildown.stages.ledger:Ledger",
    "mask": "boildown.stages.mask:Mask",
    "prioritize": "boildown.stages.prioritize:Prioritize",
    "prune": "boildown.stages.prune:Prune",
    "redact": "boildown.stages.redact:Redact",
    "rolling": "boildown.stages.rolling:Rolling",
    "stale": "boildown.stages.stale:Stale",
    "window": "boildown.stages.window:window",
}
SCORED = ("extractive", "prune")
"""The stages that --scorer is for"""
ASKING = ("abstractive", "hierarchical", "rolling")
"""The stages that ask a model, which --model is for"""
IN_STEPS = ("abstractive", "rolling")
"""Those of them that ask for a span when the one before is answered"""
KEEPING = ("archive",)
"""The stages that take messages out for an archive to keep"""
MAY_ASK = ("auto",)
"""Those that ask one where --model names it, and do without it otherwise"""
DEFAULT = "dedup,prune,ledger"
ENTRY_POINTS = "boildown.stages"


@dataclass(frozen=True, slots=True)
class Option:
    """A stage's option: its name, type and default as text, and what it does."""

    name: str
    type: type
    default: object
    help: str


@cache
def names() -> dict[str, str]:
    """Every stage's name and where it is: the built-in ones and those of installed plug-ins."""
    return STAGES | {e.name: e.value for e in entry_points(group=ENTRY_POINTS) if e.name not in STAGES}


def attribute(name: str) -> Any:
    """The class or function behind a stage's name."""
    if name not in names():
        near = difflib.get_close_matches(name, names(), 1)
        hint = f"; did you mean {near[0]!r}?" if near else "."
        raise UsageError(f"no stage is called {name!r}{hint} There are: {', '.join(names())}.")
    module, _, attr = names()[name].partition(":")
    return getattr(import_module(module), attr)


def options(name: str) -> list[Option]:
    """The options of a stage: the fields of its dataclass, explained by `metadata={"help": ...}`."""
    found = attribute(name)
    if not (inspect.isclass(found) and dataclasses.is_dataclass(found)):
        return []
    hints = get_type_hints(found)
    return [
        Option(f.name, hints[f.name], f.default, str(f.metadata.get("help", "")))
        for f in dataclasses.fields(found)
        if f.init
    ]


def summary(name: str) -> str:
    """A stage's first docstring line."""
    return (inspect.getdoc(attribute(name)) or "").partition("\n")[0]


def make(name: str, given: Mapping[str, str]) -> Named:
    """The stage called `name` with options as text. Raises UsageError for what it does not know."""
    found = attribute(name)
    known = {o.name: o for o in options(name)}
    for key in given:
        if key not in known:
            have = f"It has: {', '.join(known)}." if known else "It has none."
            raise UsageError(f"stage {name!r} has no option {key!r}. {have}")
    try:
        values = {key: _value(name, known[key], text) for key, text in given.items()}
        stage = cast(Stage, found(**values) if inspect.isclass(found) else found)
    except ValueError as error:
        raise UsageError(f"stage {name!r}: {error}") from None
    return Named(name, stage, str(getattr(found, "REASON", summary(name))))


def _value(stage: str, option: Option, text: str) -> object:
    kind = option.type
    try:
        if kind is bool:
            return {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}[text.lower()]
        return kind(text) if kind in (int, float, str) else text
    except (ValueError, KeyError):
        raise UsageError(f"stage {stage!r}: {option.name}={text!r} is no {kind.__name__}.") from None


def parse(spec: str, given: Mapping[str, Mapping[str, str]] | None = None) -> list[Named]:
    """A pipeline from its spec: `name:option=value,...` with stages apart by commas.

    A part that has no `=` begins a stage; a part that has one and no `:` before it is a further option of the last.
    `given` has options by stage that hold where the spec does not say otherwise.
    """
    stages = split(spec)
    if not stages:
        raise UsageError(f"the pipeline is empty. Name at least one stage: {', '.join(names())}.")
    return [make(name, {**(given or {}).get(name, {}), **said}) for name, said in stages]


def split(spec: str) -> list[tuple[str, dict[str, str]]]:
    """The names in a spec and what it gives each for options, without a look at whether there are such."""
    stages: list[tuple[str, dict[str, str]]] = []
    for part in filter(None, (p.strip() for p in spec.split(","))):
        head, colon, rest = part.partition(":")
        if "=" in head:
            if not stages:
                raise UsageError(f"pipeline {spec!r}: option {part!r} comes before any stage. Write name:option=value.")
            _option(spec, part, stages[-1][1])
            continue
        stages.append((head.strip(), {}))
        if colon:
            _option(spec, rest, stages[-1][1])
    return stages


def _option(spec: str, text: str, given: dict[str, str]) -> None:
    key, equals, value = text.partition("=")
    if not equals or not key.strip():
        raise UsageError(f"pipeline {spec!r}: {text!r} is no option. Write name:option=value,option=value.")
    given[key.strip()] = value.strip()


def models(stages: Sequence[Named]) -> list[str]:
    """The names of the models that `stages` ask, each once; none where no stage asks one."""
    found: list[Any] = [named.stage for named in stages if named.name in (*ASKING, *MAY_ASK)]
    return list(dict.fromkeys(str(stage.model) for stage in found if stage.model))


def spec(stages: Sequence[Named]) -> str:
    """The spec that makes `stages`, options that have their default left out."""
    return ",".join(_spec(named) for named in stages)


def _spec(named: Named) -> str:
    stage: Any = named.stage
    if not dataclasses.is_dataclass(stage):
        return named.name
    changed = [
        f"{f.name}={getattr(stage, f.name)}"
        for f in dataclasses.fields(stage)
        if f.init and getattr(stage, f.name) != f.default
    ]
    return named.name + (":" + ",".join(changed) if changed else "")
