"""What answers a question survives in a context of 4,000 tokens that was made for it (needs ../shared).

    python benchmarks/context.py                                            the chats, each with all of its questions
    python benchmarks/context.py --every 5 --allocation summary=0.1,retrieved=0.9
    python benchmarks/context.py --only fitted                              the half that was tuned on

The score is `answer` of ../shared/evals/evals.py, and the share of what the whole chat scores, its ceiling. The
question itself, which ends a context, is taken out first: its words would count as found. Beside it stand the newest
messages and `compress`, both of as many tokens, which are the same for all questions of a chat.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import mean

from boildown import registry
from boildown.context.account import Account
from boildown.context.allocation import Allocation, allocation
from boildown.context.assembly import context
from boildown.context.conversation import Conversation
from boildown.formats import openai
from boildown.pipeline import Context, Pins, compress
from boildown.tokens import Counter, tokenizer
from boildown.transcript import Transcript

SHARED = Path(__file__).resolve().parents[2] / "shared"
sys.path.insert(0, str(SHARED / "evals"))
import evals  # noqa: E402
import suites  # noqa: E402

FITTED = (
    *("locomo-conv-26", "locomo-conv-41", "locomo-conv-43"),
    *("beam-100K-1", "beam-100K-3", "beam-100K-5", "beam-100K-7"),
)
"""The chats that were tuned on, here and in `recall`; the figures of the others count"""
COUNTER = Counter(tokenizer(), openai.INFO.framing)
BASELINES = {"newest messages": "window", "compress": registry.DEFAULT}


@dataclass(slots=True)
class Row:
    """The scores of a chat's questions by what was scored, the seconds a context took, and the first one's."""

    name: str
    scores: dict[str, list[float]] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)
    first: float = 0.0
    over: int = 0
    shares: list[tuple[int, int, int]] = field(default_factory=list)

    def mean(self, what: str) -> float:
        return mean(self.scores[what])


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, and the words that it and its answer have in common with the evidence, by rarity."""

    text: str
    answer: Mapping[str, float]
    asked: Mapping[str, float]

    def score(self, text: evals.Text) -> float:
        return float(text.best(self.answer, self.asked, evals.WINDOW))


def questions(case: suites.Case, every: int) -> Iterator[Asked]:
    """Those of the case whose answer is in the evidence, as evals.py has them."""
    weigh = evals.rarity(case)
    for question in case.questions[:: every if len(case.questions) > 20 else 1]:
        held = {w for i in question.evidence for w in evals.words(case.messages[i])}
        answer = {w: weigh(w) for w in set(evals.words(question.answer)) & held}
        if answer:
            asked = {w: weigh(w) for w in set(evals.words(question.text)) & held - answer.keys()}
            yield Asked(question.text, answer, asked)


def shown(transcript: Transcript, but: str = "") -> evals.Text:
    """The words of a conversation without the message called `but`."""
    return evals.Text("\n".join(f"{m.name or ''} {m.text}".strip() for m in transcript.messages if m.id != but))


def measured(case: suites.Case, budget: int, shares: Allocation, every: int) -> Row:
    (chat,) = openai.read(("\n".join(case.lines) + "\n").encode())
    fixed = {"whole chat": shown(chat)}
    for name, pipeline in BASELINES.items():
        small, _ = compress(Pins()(chat), registry.parse(pipeline), Context(COUNTER, budget, openai.INFO.rules))
        fixed[name] = shown(small)
    row = Row(case.name)
    conversation = Conversation(chat, openai.INFO, COUNTER, shares)
    for asked in questions(case, every):
        start = time.process_time()
        made, account = context(conversation, asked.text, budget)
        row.seconds.append(time.process_time() - start)
        row.over += account.tokens > budget
        row.shares.append(_shares(account))
        texts = fixed | {"context": shown(made, made.messages[-1].id)}
        for what, text in texts.items():
            row.scores.setdefault(what, []).append(asked.score(text))
    row.first = row.seconds[0]
    return row


def _shares(account: Account) -> tuple[int, int, int]:
    return account.shares.summary, account.shares.recent, account.shares.retrieved


def told(name: str, rows: Sequence[Row]) -> str:
    """A line of the table: means over chats, as evals.py has them."""
    whole = mean(row.mean("whole chat") for row in rows)
    cells = [mean(row.mean(what) for row in rows) for what in (*BASELINES, "context")]
    parts = [round(mean(column)) for column in zip(*(s for row in rows for s in row.shares), strict=True)]
    later = [s for row in rows for s in row.seconds[1:]]
    return (
        f"| {name} | {sum(len(row.seconds) for row in rows)} | {whole:.3f} | "
        + " | ".join(f"{cell:.3f} ({cell / whole:.3f})" for cell in cells)
        + f" | {' / '.join(map(str, parts))} | {sum(row.over for row in rows)} | "
        f"{1000 * mean(row.first for row in rows):.0f} | {1000 * mean(later):.0f} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--max-tokens", type=int, default=4000)
    parser.add_argument("--allocation", type=allocation, default=Allocation())
    parser.add_argument("--every", type=int, default=1, help="ask every n-th question of a chat with more than 20")
    parser.add_argument("--only", choices=("fitted", "others"))
    given = parser.parse_args()
    heads = ("chats", "questions", "ceiling", *BASELINES, "context", "summary / recent / retrieved tokens", "over")
    print(f"| {' | '.join((*heads, 'ms first', 'ms later'))} |\n{'|---' * (len(heads) + 2)}|")
    rows = []
    for case in suites.load(SHARED / "data", {"chat"}):
        if given.only and (given.only == "fitted") != (case.name in FITTED):
            continue
        rows.append(measured(case, given.max_tokens, given.allocation, given.every))
        print(told(case.name, rows[-1:]), flush=True)
    for name, held in {
        "fitted": [row for row in rows if row.name in FITTED],
        "others": [row for row in rows if row.name not in FITTED],
        "all": rows,
    }.items():
        if held:
            print(told(f"**{name}**", held))


if __name__ == "__main__":
    main()
