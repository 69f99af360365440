"""How well `recall` finds what answers a question, and what it costs: LoCoMo's chats in one archive (needs ../shared).

    python benchmarks/recall.py                    recall@10 by parts, fitted half and the other
    python benchmarks/recall.py --embed minilm     with vectors (boildown[embed])
    python benchmarks/recall.py --messages 100000  seconds to archive so many, and milliseconds a query among them
    python benchmarks/recall.py --store lance      either, with the messages in LanceDB (boildown[lance])

Each question is asked of its own chat. Its figure is the share of its evidence among the ten messages that come first.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain, cycle, islice
from pathlib import Path
from statistics import mean, median, quantiles

from boildown.memory.archiving import archive, embed_new
from boildown.memory.embedders import Embedder, load
from boildown.memory.messages import Memory, Origin, Said, Scope
from boildown.memory.places import opened
from boildown.memory.recall import Weights, recall

SHARED = Path(__file__).resolve().parents[2] / "shared"
sys.path.insert(0, str(SHARED / "evals"))
from suites import Case, locomo  # noqa: E402

FITTED = ("locomo-conv-26", "locomo-conv-41", "locomo-conv-43")
"""The chats that the weights were fitted on; the figures of the others count"""
STORES = {"sqlite": "", "lance": "lance:"}
ALONE, NO_NAMES = (0.0, 0.0), 0.0


def variants(embedder: Embedder | None) -> dict[str, tuple[Weights, Embedder | None]]:
    """What is measured: each part by itself, and together."""
    all_of = Weights()
    words = replace(all_of, before=ALONE, after=ALONE, named=NO_NAMES)
    found: dict[str, tuple[Weights, Embedder | None]] = {
        "words": (words, None),
        "words, neighbours": (replace(all_of, named=NO_NAMES), None),
        "words, names": (replace(words, named=all_of.named), None),
        "words, neighbours, names": (all_of, None),
    }
    if embedder:
        found["vectors"] = (replace(words, words=0.0, meant=1.0), embedder)
        found["vectors, neighbours, names"] = (replace(all_of, words=0.0), embedder)
        found["all"] = (all_of, embedder)
    return found


def found(store: Memory, case: Case, weights: Weights, embedder: Embedder | None) -> list[float]:
    """The share of each question's evidence that is found."""
    shares = []
    for question in case.questions:
        hits = recall(store, question.text, Scope(session=case.name), 10, embedder, weights)
        places = {hit.kept.seat[1] for hit in hits}
        shares.append(len(places.intersection(question.evidence)) / len(question.evidence))
    return shares


def quality(cases: Sequence[Case], embedder: Embedder | None, kind: str) -> None:
    """Print recall@10 of each variant on both halves."""
    with tempfile.TemporaryDirectory() as folder, opened(f"{STORES[kind]}{folder}/memory", write=True) as store:
        for case in cases:
            archive(store, "\n".join(case.lines).encode(), f"{case.name}.jsonl", session=case.name)
        if embedder:
            start = time.process_time()
            new = sum(embed_new(store, embedder, Scope(session=case.name)) for case in cases)
            print(f"{new:,} embedded, {time.process_time() - start:.1f} s of the processor")
        print("| | fitted chats | other chats | all |\n|---|---|---|---|")
        for name, (weights, with_) in variants(embedder).items():
            by_case = {case.name: found(store, case, weights, with_) for case in cases}
            fitted = list(chain.from_iterable(by_case[name] for name in by_case if name in FITTED))
            others = list(chain.from_iterable(by_case[name] for name in by_case if name not in FITTED))
            print(f"| {name} | {mean(fitted):.3f} | {mean(others):.3f} | {mean(fitted + others):.3f} |", flush=True)


def short(messages: int) -> Iterator[str]:
    """So many short messages: turns of Taskmaster's and QMSum's dialogues, over again with a number where need be."""
    texts = list(
        dict.fromkeys(chain.from_iterable(_turns(path) for path in sorted(SHARED.glob("data/train/**/*.json*"))))
    )
    rounds = (
        f"{text[:400]} ({n // len(texts)})" if n >= len(texts) else text[:400] for n, text in enumerate(cycle(texts))
    )
    return islice(rounds, messages)


def _turns(path: Path) -> Iterator[str]:
    lines = [path.read_text()] if path.suffix == ".json" else path.read_text().splitlines()
    for line in filter(str.strip, lines):
        yield from _strings(json.loads(line))


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            if key in ("text", "content", "utterance") and isinstance(item, str):
                yield item
            else:
                yield from _strings(item)
    elif isinstance(value, list):
        yield from chain.from_iterable(map(_strings, value))


def speed(cases: Sequence[Case], messages: int, kind: str) -> None:
    """Print what it takes to archive so many messages, LoCoMo's among them, and to ask them."""
    with tempfile.TemporaryDirectory() as folder, opened(f"{STORES[kind]}{folder}/memory", write=True) as store:
        clock, processor = time.perf_counter(), time.process_time()
        for case in cases:
            archive(store, "\n".join(case.lines).encode(), f"{case.name}.jsonl", session=case.name)
        texts = short(messages - sum(len(case.lines) for case in cases))
        session = 0
        while some := list(islice(texts, 500)):
            session += 1
            with store.transaction():
                store.put(
                    Origin(f"dialogue {session}"), [Said(f"m{n}", "user", text) for n, text in enumerate(some, 1)]
                )
        print(f"archived {messages:,}: {time.process_time() - processor:.1f} s of the processor,", end=" ")
        print(f"{time.perf_counter() - clock:.1f} s by the clock")
        with opened(f"{STORES[kind]}{folder}/memory") as reading:
            ask(reading, cases)


def ask(store: Memory, cases: Sequence[Case]) -> None:
    """Print what every fifth question takes, of all sessions and of its own."""
    questions = [(case.name, question.text) for case in cases for question in case.questions][::5]
    for where, scopes in {
        "all sessions": [Scope() for _ in questions],
        "one session": [Scope(session=name) for name, _ in questions],
    }.items():
        for _ in range(2):  # the first round warms up
            taken = [_asked(store, text, scope) for (_, text), scope in zip(questions, scopes, strict=True)]
        print(
            f"{where}: {median(taken):.1f} ms of the processor a query in the middle, "
            f"{quantiles(taken, n=10)[-1]:.1f} at the 9th of 10"
        )


def _asked(store: Memory, question: str, scope: Scope) -> float:
    start = time.process_time()
    recall(store, question, scope)
    return 1000 * (time.process_time() - start)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--embed", metavar="NAME")
    parser.add_argument("--messages", type=int)
    parser.add_argument("--store", choices=STORES, default="sqlite")
    given = parser.parse_args()
    cases = [case for path in sorted((SHARED / "data" / "locomo").glob("locomo*.json")) for case in locomo(path)]
    if given.messages:
        speed(cases, given.messages, given.store)
    else:
        quality(cases, load(given.embed) if given.embed else None, given.store)


if __name__ == "__main__":
    main()
