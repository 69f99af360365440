#!/usr/bin/env python3
"""What the checks of summaries find, and how far above the offline pipeline a summary's output stays.

    python benchmarks/checks.py [--shared ../shared] [--show 0]

Four tables. Lines of summaries that people and models wrote of LoCoMo, of DialogSum, and of Claude Code sessions
(their own compactions), and the share in which something is found that the source lacks; `--show` prints some of them.
True sentences of chats and sessions with one thing in them changed, or with another speaker's name, and the share of
those that is found, by kind. Lines that tell of one speaker, and what is found with another's name in them: held
against messages, or, as above the leaves of a tree, against the lines of five sessions or of a meeting, of which they
are some, or which they tell in other words. And for three chats and three sessions at 5x, 10x and 20x: what the offline
pipeline keeps (share / number), how the target is divided, and what a summary that says nothing and one made of first
sentences come to.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import sys
from collections import Counter as Tally
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "compressors"))

from boildown.measure.facts import Kind, taken  # noqa: E402
from boildown.measure.retention import weighed  # noqa: E402
from boildown.pipeline import Context, Pins  # noqa: E402
from boildown.run import conversations, reader  # noqa: E402
from boildown.summaries import floor  # noqa: E402
from boildown.summaries.checks import Evidence  # noqa: E402
from boildown.summaries.source import who_speaks  # noqa: E402
from boildown.summaries.summary import Summary  # noqa: E402
from boildown.text.units import units  # noqa: E402
from boildown.tokens import Counter, tokenizer  # noqa: E402
from boildown.transcript import Framing, Message, Text, Transcript  # noqa: E402

COUNTER = Counter(tokenizer("o200k_base"), Framing())
COMPACTED = "This session is being continued"
NAMES = ("Zara", "Viktor", "Osaka", "Quentin", "Benedict", "Lisbon", "Ingrid", "Pavel")
NUMBER, NAME = (
    re.compile(r"(?<![\w.,-])\d[\d.,]*\d(?![\w.])|(?<![\w.,-])\d(?![\w.,-])"),
    re.compile(r"(?<=[a-z] )[A-Z][a-z]{3,}"),
)
MOST = 400
ASKED = ("specific", "general")
Spoken = tuple[Message, ...]


def sentences(text: str) -> list[str]:
    return [s.strip() for s in re.split(r"(?<=[.!?])\s+(?=[A-Z])", text) if s.strip()]


def chats(shared: Path) -> Iterator[tuple[dict[str, object], dict[int, Spoken]]]:
    """LoCoMo's conversations, each with its messages by session."""
    for sample in json.loads((shared / "data/locomo/locomo_open_5.json").read_text()):
        talk, sessions, count = sample["conversation"], {}, 0
        for n in (n for n in range(1, 60) if f"session_{n}" in talk):
            time, said = talk[f"session_{n}_date_time"], []
            for turn in talk[f"session_{n}"]:
                role = "user" if turn["speaker"] == talk["speaker_a"] else "assistant"
                image = f" [image: {turn['blip_caption']}]" if turn.get("blip_caption") else ""
                count += 1
                said.append(Message(f"m{count}", role, (Text(turn["text"] + image),), name=turn["speaker"], time=time))
            sessions[n] = tuple(said)
        yield sample, sessions


def agents(shared: Path) -> Iterator[Transcript]:
    """The Claude Code sessions with more than 60 messages, the longest first."""
    found = []
    for path in sorted((shared / "data/claude-code").glob("entire-cli*/*.jsonl")):
        form, plain, _ = reader(path.read_bytes(), path.name)
        found += [t for t in conversations(form, plain, path.name) if len(t.messages) > 60]
    return iter(sorted(found, key=lambda t: -len(t.messages)))


def references(shared: Path) -> Iterator[tuple[str, Evidence, list[str]]]:
    """Whose summary it is, what it is of, and its lines."""
    for sample, sessions in chats(shared):
        for n, said in sessions.items():
            evidence = Evidence.of(said)
            yield "LoCoMo summaries", evidence, sentences(sample["session_summary"].get(f"session_{n}_summary", ""))
            observed = sample["observation"].get(f"session_{n}_observation", {})
            yield "LoCoMo observations", evidence, [line for lines in observed.values() for line, _ in lines]
    for line in (shared / "data/dialogsum/dialogsum.dev.jsonl").read_text().splitlines()[:300]:
        case = json.loads(line)
        turns = [turn.partition(":")[::2] for turn in case["dialogue"].splitlines()]
        said = [
            Message(f"m{n}", "user", (Text(text.strip()),), name=who.strip("#")) for n, (who, text) in enumerate(turns)
        ]
        yield "DialogSum", Evidence.of(said), sentences(case["summary"].replace("#", ""))
    for session in agents(shared):
        for n, message in enumerate(session.messages):
            if n > 5 and message.text.lstrip().startswith(COMPACTED):
                lines = [re.sub(r"^\s*[-*]\s+", "", line).strip() for line in message.text.splitlines()]
                yield "compactions", Evidence.of(session.messages[:n]), [line for line in lines if len(line) > 20]


def things(sentence: str) -> Iterator[tuple[str, str]]:
    """What stands once in a sentence and can be changed: its kind, and how it stands."""
    stated, rest = taken(sentence)
    found = [(kind.value, shown) for kind, _, shown in stated]
    found += [("numbers" if len(m[0]) > 1 else "digits", m[0]) for m in NUMBER.finditer(rest)]
    found += [(Kind.NAME.value, m[0]) for m in NAME.finditer(rest)]
    return ((kind, shown) for kind, shown in found if sentence.count(shown) == 1)


def changed(kind: str, shown: str, draw: random.Random) -> str:
    """The same with another name, another digit or another letter in it; as it was where there is none to change."""
    if kind == Kind.NAME:
        return draw.choice(NAMES)
    digits = kind in ("numbers", "digits", Kind.DATE)
    at = [n for n, c in enumerate(shown) if (c.isdigit() if digits else c.isalpha() and n)]
    if not at:
        return shown
    place = draw.choice(at)
    other = draw.choice(
        [c for c in ("123456789" if digits else "abcdefghijklmnopqrstuvwxyz") if c != shown[place].lower()]
    )
    return shown[:place] + other + shown[place + 1 :]


def falsified(spans: Iterable[Sequence[Message]], draw: random.Random) -> tuple[Tally[str], Tally[str], int, int]:
    """Changed sentences by kind, those of them found, true sentences, and those flagged as they are."""
    made, found, true, flagged = Tally[str](), Tally[str](), 0, 0
    for messages in spans:
        evidence = Evidence.of(messages)
        texts = [b.text for m in messages if m.role != "tool" for b in m.blocks if isinstance(b, Text)]
        said = [t[u.start : u.end].strip() for t in texts if len(t) < 20_000 for u in units(t)]
        said = [s for s in said if 20 < len(s) < 300 and "\n" not in s]
        for sentence in draw.sample(said, min(600, len(said))):
            true += 1
            if evidence.unfounded(sentence):
                flagged += 1
                continue
            for kind, shown in things(sentence):
                other = changed(kind, shown, draw)
                if other != shown and made[kind] < MOST:
                    made[kind] += 1
                    found[kind] += bool(evidence.unfounded(sentence.replace(shown, other)))
    return made, found, true, flagged


def headed(spans: Iterable[Spoken], draw: random.Random) -> tuple[int, int, int]:
    """Lines `Ada: a sentence of hers`; those of them that are flagged, and those found under another speaker's name."""
    true, flagged, found = 0, 0, 0
    for messages in spans:
        evidence = Evidence.of(messages)
        said = [(m.name, s) for m in messages for s in sentences(m.text) if 20 < len(s) < 300 and "\n" not in s]
        for name, sentence in draw.sample(said, min(120, len(said))):
            other = next(m.name for m in messages if m.name != name)
            true += 1
            flagged += bool(evidence.misattributed(f"{name}: {sentence}"))
            found += bool(evidence.misattributed(f"{other}: {sentence}"))
    return true, flagged, found


def branches(shared: Path) -> Iterator[tuple[str, Spoken, list[str], list[str]]]:
    """What a node above the leaves could sum up: whose it is, messages, lines of them, and the same in other words."""
    for sample, sessions in chats(shared):
        for start in range(0, len(sessions), 5):
            part = sorted(sessions)[start : start + 5]
            names, seen = {m.name for n in part for m in sessions[n]}, "observation"
            lines = [sample[seen].get(f"session_{n}_{seen}", {}).get(name, []) for n in part for name in sorted(names)]
            retold = [s for n in part for s in sentences(sample["session_summary"].get(f"session_{n}_summary", ""))]
            said = tuple(m for n in part for m in sessions[n])
            yield "LoCoMo", said, [line for each in lines for line, _ in each], retold
    for path in sorted((shared / "data/qmsum").glob("*.json")):
        meeting = json.loads(path.read_text())
        turns = enumerate(meeting["meeting_transcripts"])
        said = tuple(Message(f"m{n}", "user", (Text(turn["content"]),), name=turn["speaker"]) for n, turn in turns)
        asked, whole = (
            [s for one in meeting[f"{kind}_query_list"] for s in sentences(one["answer"])] for kind in ASKED
        )
        yield "QMSum", said, asked, whole


def renamed(shared: Path) -> Iterator[tuple[str, str, int, int, int]]:
    """Lines that tell of one speaker: whose, how they are held, how many, flagged, found with another's name."""
    tally = Tally[tuple[str, str, str]]()
    for whose, said, lines, retold in branches(shared):
        below = Evidence.of((), [Summary({"facts": tuple(lines)})], who_speaks(said))
        for how, evidence, told in (
            ("retold, against messages", Evidence.of(said), retold),
            ("taken over, against lines", below, lines),
            ("retold, against lines", below, retold),
        ):
            for line in told:
                names = sorted({m.name for m in said if m.name})
                (name, *more) = [n for n in names if re.search(rf"\b{n}\b", line)] or [""]
                if name and not more:
                    other = line.replace(name, names[names.index(name) - 1])
                    tally[whose, how, "all"] += 1
                    tally[whose, how, "flagged"] += bool(evidence.misattributed(line))
                    tally[whose, how, "found"] += bool(evidence.misattributed(other))
    for whose, how in dict.fromkeys((whose, how) for whose, how, _ in tally):
        yield whose, how, *(tally[whose, how, what] for what in ("all", "flagged", "found"))


def first_sentences(split: floor.Split) -> Summary:
    """A summary that was made without a model: first sentences of messages, evenly, in the room for it."""
    said = [sentences(m.text)[0][:200] for m in split.older if m.role != "tool" and m.text.strip()]
    lines, room = [], split.summary - 20
    for text in said[:: max(1, len(said) // max(1, room // 25))]:
        line = text.replace("\n", " ")
        (size,) = COUNTER.texts([f"- {line}\n"])
        if size <= room:
            lines.append(line)
            room -= size
    return Summary({"facts": tuple(lines)})


def above(name: str, transcript: Transcript, ratio: int) -> str:
    """A row: what the offline pipeline keeps, how the target is divided, and what is kept then."""
    found = floor.measured(transcript, Context(COUNTER, COUNTER.total(transcript.messages) // ratio))
    split, row = found.split(1_000_000, 5), f"{name} {ratio:2}x  offline {found.share:.3f} / {found.many:4}"
    if split is None:
        return f"{row}  no room for a summary"
    recent = sum(COUNTER.messages([transcript.messages[n] for n in split.stay]))
    row += "  " + " ".join(f"{n / found.target:4.0%}" for n in (recent, split.summary, split.verbatim))
    for summary in (Summary(), first_sentences(split)):
        made = Text(floor.complete(split, summary).text())
        kept = found.original.retention(split.placed(Message("summary", "user", (made,), pinned=True)), COUNTER)
        many = sum(k.kept for k in kept.facts)
        row += f"  | {weighed(kept.facts):.3f} / {many:4} in {kept.tokens_after / found.target:.1%}"
    return row


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, default=ROOT.parent / "shared")
    parser.add_argument("--show", type=int, default=0, help="so many flagged lines")
    args = parser.parse_args()
    draw, lines, flagged, shown = random.Random(5), Tally[str](), Tally[str](), []
    for whose, evidence, said in references(args.shared):
        for line in said:
            lines[whose] += 1
            if why := [*evidence.unfounded(line), *filter(None, [evidence.misattributed(line)])]:
                flagged[whose] += 1
                shown.append(f"  {why} in: {line[:160]}")
    for whose, many in lines.items():
        print(f"{whose:20} {many:5} lines, flagged {flagged[whose]:3} ({flagged[whose] / many:.1%})")
    print(*draw.sample(shown, min(args.show, len(shown))), sep="\n")
    spoken = [tuple(m for said in sessions.values() for m in said) for _, sessions in chats(args.shared)]
    sessions = list(agents(args.shared))
    for name, spans in (("LoCoMo", spoken), ("sessions", [t.messages for t in sessions[:8]])):
        made, hit, true, false = falsified(spans, draw)
        kinds = ", ".join(f"{kind} {hit[kind]}/{many}" for kind, many in made.items())
        print(f"{name}: of {true} true sentences {false} flagged; with one thing changed found: {kinds}")
    true, false, hits = headed(spoken, draw)
    print(f"LoCoMo: of {true} lines `Name: sentence` {false} flagged; with the other speaker's name found: {hits}")
    for whose, how, many, false, hits in renamed(args.shared):
        print(f"{whose}: of {many} lines of one speaker, {how}, {false} flagged; with another's name found: {hits}")
    print("target divided into recent, summary, facts | kept with an empty summary | with one of first sentences")
    for n, transcript in enumerate([*map(Transcript, spoken[:3]), *sessions[1:8:3]]):
        for ratio in (5, 10, 20):
            print(above(f"{'chat' if n < 3 else 'session'} {n % 3 + 1}", Pins()(transcript), ratio), flush=True)


if __name__ == "__main__":
    main()
