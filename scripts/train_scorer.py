"""Train the packed scorer again, from data whose licence allows it: compressors/boildown/scoring/CARD.md lists them.

    python scripts/train_scorer.py [--data ../shared/data] [--without SOURCE] [-o scorer.json]

Training again gives the same file.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "compressors")]

from boildown.measure.questions import Question  # noqa: E402
from boildown.scoring.labels import Example, by_questions, by_values  # noqa: E402
from boildown.scoring.scorer import Scorer, dump  # noqa: E402
from boildown.scoring.training import Source, fit, general_rarity  # noqa: E402
from boildown.transcript import Message, Text  # noqa: E402

CHATS = Path(__file__).resolve().parent / "chats"
TARGET = ROOT / "compressors/boildown/scoring/scorer.json"
NOISE = re.compile(r"\{\w+\}|<\w+>")
WEIGHTS = {"friends": 1.0, "assistant": 1.0, "qmsum": 0.5, "taskmaster": 0.1, "tau-bench": 0.1}
TOGETHER = 120
"""Messages of short task dialogues that are read as one conversation: rarity means nothing in ten messages"""


def message(n: int, role: str, text: str, name: str | None = None) -> Message:
    return Message(str(n), role, (Text(text),), name=name)


def friends(data: Path) -> Iterator[Example]:
    return chats("friends")


def assistant(data: Path) -> Iterator[Example]:
    return chats("assistant")


def chats(kind: str) -> Iterator[Example]:
    """Conversations that were written for this project, with questions."""
    for path in sorted((CHATS / kind).glob("*.json")):
        held = json.loads(path.read_text(encoding="utf-8"))
        messages = [message(n, m["role"], m["content"], m.get("name")) for n, m in enumerate(held["messages"])]
        asked = [Question(q["question"], str(q["answer"]), tuple(q["evidence"])) for q in held["questions"]]
        yield by_questions(messages, asked)


def qmsum(data: Path) -> Iterator[Example]:
    """Meetings with queries and the spans of turns that answer them."""
    for path in sorted((data / "train/qmsum").glob("*.json")):
        held = json.loads(path.read_text(encoding="utf-8"))
        turns = held["meeting_transcripts"]
        messages = [
            message(n, "user", NOISE.sub("", t["content"]).strip() or "...", t["speaker"]) for n, t in enumerate(turns)
        ]
        asked = []
        for query in held["specific_query_list"]:
            spans = [range(int(a), min(int(b) + 1, len(turns))) for a, b in query["relevant_text_span"]]
            asked.append(Question(query["query"], query["answer"], tuple(sorted(set(chain.from_iterable(spans))))))
        yield by_questions(messages, asked)


Dialog = tuple[list[tuple[str, str]], list[tuple[int, str]]]
"""The turns as role and text, and the values that were used, each with the turns that stood before"""


def taskmaster(data: Path) -> Iterator[Example]:
    """Dialogues with the values that their API calls asked for and got."""
    return together(taskmaster_dialogs(data))


def taskmaster_dialogs(data: Path) -> Iterator[Dialog]:
    for path in sorted((data / "train/taskmaster").glob("*.json")):
        for held in json.loads(path.read_text(encoding="utf-8")):
            turns, values = [], []
            for spoken in held["utterances"]:
                turns.append((spoken["speaker"], spoken["text"] or "..."))
                used = [a["value"] for a in spoken["annotations"] if a["name"] in ("request", "response")]
                values += [(len(turns), value) for value in used]
            yield turns, values


def tau_bench(data: Path) -> Iterator[Example]:
    """Customer service with tools: the arguments of the calls."""
    return together(tau_bench_dialogs(data))


def tau_bench_dialogs(data: Path) -> Iterator[Dialog]:
    for path in sorted((data / "tau-bench").rglob("*.json")):
        for run in json.loads(path.read_text(encoding="utf-8")):
            turns, values = list[tuple[str, str]](), list[tuple[int, str]]()
            for said in run["traj"]:
                values += [(len(turns), call["function"]["arguments"]) for call in said.get("tool_calls") or ()]
                if said["role"] in ("user", "assistant") and isinstance(said.get("content"), str) and said["content"]:
                    turns.append((said["role"], said["content"]))
            yield turns, values


def together(dialogs: Iterable[Dialog]) -> Iterator[Example]:
    """Dialogues in a row, as conversations of over TOGETHER messages."""
    turns, values = list[tuple[str, str]](), list[tuple[int, str]]()

    def close() -> Example:
        return by_values([message(n, role, text) for n, (role, text) in enumerate(turns)], values)

    for said, used in dialogs:
        begun = len(turns)
        turns += said
        values += [(begun + before, value) for before, value in used]
        if len(turns) >= TOGETHER:
            yield close()
            turns, values = [], []
    if turns:
        yield close()


SOURCES = {"friends": friends, "assistant": assistant, "qmsum": qmsum, "taskmaster": taskmaster, "tau-bench": tau_bench}


def read(data: Path) -> dict[str, list[Example]]:
    return {name: list(reader(data)) for name, reader in SOURCES.items()}


def train(found: dict[str, list[Example]], without: str = "") -> Scorer:
    kept = {name: held for name, held in found.items() if held and name != without}
    general = general_rarity([m.text for example in held for m in example.messages] for held in kept.values())
    sources = [Source(name, held, WEIGHTS[name]) for name, held in kept.items()]
    return fit(sources, general, {}, about="boildown's own: see CARD.md beside it")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared/data")
    parser.add_argument("--without", default="", choices=["", *SOURCES], help="a source to leave out")
    parser.add_argument("-o", "--output", type=Path, default=TARGET)
    args = parser.parse_args()
    found = read(args.data)
    for name, held in found.items():
        print(
            f"{name:<12}{len(held):>5} conversations {sum(len(e.messages) for e in held):>7} messages", file=sys.stderr
        )
    scorer = train(found, args.without)
    args.output.write_bytes(dump(scorer))
    for name, weight in scorer.weights.items():
        print(f"{name:<14}{weight:>8.3f}", file=sys.stderr)


if __name__ == "__main__":
    main()
