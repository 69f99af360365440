"""What tuning tries: a fixed list of pipelines, and of options for the stages of the best one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from boildown import registry
from boildown.pipeline import Named

PIPELINES = (
    "dedup,prune",
    "condense,delta,dedup,prune,ledger",
    "condense,delta,dedup,stale,prune,ledger",
    "condense,dedup,mask,prune,ledger",
    "condense,dedup,mask,window,ledger",
    "dedup,extractive,prune",
    "dedup,extractive",
    "dedup,prioritize",
    "dedup,cluster,prune",
    "dedup,window",
)
"""What is tried besides the default and the presets: words, sentences or messages to go, tools' output first or not.

First the default without a ledger, then sessions with tools: diffs for versions, old reads, old results. Then
whole sentences, messages by worth, one of each cluster; last the newest turns, which is what most tools do.
"""

OPTIONS: dict[str, tuple[str, ...]] = {
    "cluster": ("share=1.5", "share=3"),
    "condense": ("lossless=true",),
    "dedup": ("threshold=0.7",),
    "extractive": ("share=1.5", "share=3"),
    "ledger": ("share=0.2", "share=0.5"),
    "mask": ("keep=3", "keep=30"),
    "prioritize": ("share=1.5", "share=3", "recency=1", "per_token=false"),
}
"""The options that are tried on the best pipeline's stages, one at a time"""

SEEKING = frozenset({"condense", "dedup", "delta", "ledger", "mask", "stale"})
"""The stages that only do something where they find what they are made for"""


Idle = Callable[[Named], bool]
"""Whether a stage does nothing on the files"""


def candidates(presets: Iterable[str], idle: Idle) -> list[str]:
    """The specs to try: the default's, those of `presets`, and PIPELINES; the default is the first.

    Raises UsageError for a preset's pipeline that is wrong.
    """
    return list(distinct((registry.DEFAULT, *presets, *PIPELINES), idle))


def distinct(specs: Iterable[str], idle: Idle) -> dict[str, list[str]]:
    """Each of `specs`, with those that it stands for.

    Of those that differ only in stages that are `idle` the first stands for all, and keeps these stages: on other
    files they may have something to do. Raises UsageError for one that is wrong.
    """
    found: dict[str, tuple[str, list[str]]] = {}
    for spec in specs:
        stages = registry.parse(spec)
        works = [s for s in stages if not _idle(s, idle)]
        if works:
            found.setdefault(registry.spec(works), (registry.spec(stages), []))[1].append(spec)
    return dict(found.values())


def _idle(named: Named, idle: Idle) -> bool:
    return named.name in SEEKING and idle(named)


def variants(spec: str, idle: Idle) -> Iterator[tuple[str, str]]:
    """(stage, option) of every entry of OPTIONS for a stage of `spec` that is not `idle`, in the stages' order."""
    for named in registry.parse(spec):
        for option in () if _idle(named, idle) else OPTIONS.get(named.name, ()):
            yield named.name, option


def varied(spec: str, stage: str, option: str) -> str:
    """The pipeline `spec` with `option` ("name=value") of its stage called `stage` set, in place of what it was."""
    key, _, value = option.partition("=")
    stages = []
    for named in registry.parse(spec):
        given = _given(named)
        stages.append(registry.make(named.name, {**given, key: value}) if named.name == stage else named)
    return registry.spec(stages)


def _given(named: Named) -> dict[str, str]:
    """The options of a stage that differ from their defaults, as text."""
    _, _, said = registry.spec([named]).partition(":")
    return dict(part.split("=", 1) for part in said.split(",")) if said else {}
