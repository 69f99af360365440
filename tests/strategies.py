"""Transcripts as Hypothesis builds them: many scripts, protected spans, tool exchanges, thinking, images, copies."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import replace

from hypothesis import strategies as st

from boildown import formats
from boildown.pipeline import Context, Pins
from boildown.tokens import Counter, tokenizer
from boildown.transcript import (
    Block,
    FormatInfo,
    Framing,
    Message,
    Opaque,
    Rules,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
    Transcript,
)
from quoting import quoting

PLANTED = {
    "ratify": "did not ratify",
    "defrost": "will never defrost",
    "unterschrieben": "wurde nicht unterschrieben",
    "подписал": "не подписал",
    "批准": "没有批准",
    "12.5": "12.5 kg",
    "8675309": "ticket 8675309",
    "2031": "14 May 2031",
    "7:45": "7:45 pm",
    "4,820": "$4,820.55",
    "17.25": "-17.25 °C",
    "retry_count": "`client.max_retry_count = 9`",
    "example": "https://example.org/a/b?c=d&e=42#f",
    "sites-enabled": "/etc/nginx/sites-enabled/default.conf",
    "Acme": r"C:\Program Files\Acme\run.exe",
    "HttpHeader": "parseHttpHeader()",
    "hold": '"hold the line please"',
    "retour": "« pas de retour »",
}
"""By a part of it that stands nowhere else: what survives whole or not at all."""

PLAIN = (
    "The quick rollout went to staging before anybody reviewed it.",
    "I think we should ask the customer about their backup plan and then write it down.",
    "My sister moved to the coast, where the weather suits her garden far better.",
    "Yes, that works for me",
    "Can you summarize what the committee decided about the budget and the new hires?",
    "Der Vertrag liegt seit gestern auf dem Tisch, und alle warten auf die Unterschriften.",
    "Nous avons choisi le restaurant près de la gare parce que les enfants aiment les crêpes.",
    "Мы решили перенести встречу, потому что поезд опоздал, а гостиница была закрыта.",
    "会议决定把预算推迟到下个季度再讨论，因为客户还在考虑新的方案。",
    "昨日の会議で、新しい計画について話し合いました。来週もう一度確認します。",
    "اجتمع الفريق صباح اليوم لمناقشة الخطة الجديدة وتوزيع المهام على الجميع.",
    "बैठक में नई योजना पर चर्चा हुई और सबको काम बाँट दिया गया।",
    "한국어 문장도 여기에 하나 있습니다. 내일 다시 이야기해요.",
    "พรุ่งนี้เราจะประชุมกันอีกครั้งเพื่อหารือแผนใหม่",
    "Deploying 🚀 went fine 👍🏽, thanks!",
    "[2027-03-01 10:15] Ada: the mill is ready.",
)
BLOCKS = (
    "```python\ndef total(xs):\n    # 3 of them\n    return sum(x * 2 for x in xs)\n```",
    "| name | price |\n|---|---|\n| tea | 3.20 |\n| milk | 1.10 |",
    "- first, open the valve\n- then wait until the gauge settles\n- close it again",
    "1. Unpack the box.\n2. Plug it in.\n3. Wait for the lamp.",
    "## What we agreed\n\nThe mill comes first and the store comes after it.",
    "> they wrote that the shipment left the harbour\n\nand I believe them.",
    '{"status": "ok", "items": [1, 2, 3], "next": null}',
    "2027-01-02 10:00:01 INFO started\n2027-01-02 10:00:02 ERROR lost its lease\n2027-01-02 10:00:03 INFO started",
    json.dumps(
        {"orders": [{"id": n, "item": f"lamp {n}", "paid": n % 2 > 0} for n in range(12)], "next": None}, indent=1
    ),
    "```\nnever closed, so it runs on\nto the end of the text",
)
FRAMES = ("We heard that it {} in the end.", "Note {}, which everybody had forgotten about.", "{} was on the list.")
WORDS = (
    "harbour lantern copper meadow signal thread winter compass ladder marble pepper quilt raven saddle timber velvet "
    "walnut anchor basket candle dragon engine falcon garden hammer island jacket kettle lemon magnet needle orchard "
    "pillow quarry ribbon silver tunnel umbrella valley whistle yellow zephyr the of and a to in is that it was for on"
).split()

IMAGE = Opaque("image", tokens=85, media_type="image/png", data="iVBORw0KGgo=")
INFOS: dict[str, FormatInfo] = {name: formats.load(name).INFO for name in formats.FORMATS}
names = st.sampled_from(sorted(INFOS))

planted = st.builds(str.format, st.sampled_from(FRAMES), st.sampled_from(sorted(PLANTED.values())))
odd = st.text(st.characters(), max_size=12) | st.sampled_from(
    ["", " ", "\n\n", "…", "....", "a\r\nb", "\x1b[31mred", "\ud83d"]
)
texts = st.builds(
    lambda apart, said: apart.join(said),
    st.sampled_from([" ", " ", "\n", "\n\n"]),
    st.lists(st.one_of(st.sampled_from(PLAIN), planted, st.sampled_from(BLOCKS), odd), max_size=5),
)
thoughts = st.builds(Thinking, texts, st.sampled_from(["", "c2lnbmF0dXJl"]))
arguments = st.sampled_from(["", "{}", '{"path": "/etc/hosts", "lines": [1, 2]}', "ls -la | wc -l"])


FILE = """from harbour import gates


def opened(gate: str, level: float) -> bool:
    if level > 3.5:
        return False
    print(gate, 'stays open')\r
    return True


def closed(gate):
\treturn not opened(gate, 0)
# a form feed \f and other \u2028 separators \x85 are no line ends

GATES = ['north', 'south', 'east', 'west']
for gate in GATES:
    opened(gate, level=2.25)

# the end of harbour/main.py""".split("\n")
FILE[14:14] = [f"LEVEL_{n} = opened('gate {n}', level={n}.25)  # as measured in spring" for n in range(20)]


@st.composite
def reads(draw: st.DrawFn) -> str:
    """A file's lines, or some of them, as they were before or after an edit, with line numbers or without."""
    lines = FILE[: draw(st.sampled_from([len(FILE), len(FILE), 24]))]
    for at in draw(st.lists(st.integers(0, len(lines)), max_size=2)):
        lines = [
            *lines[:at],
            *draw(st.sampled_from([["    # checked twice"], ["gates.reset()", ""], []])),
            *lines[at + 1 :],
        ]
    first = draw(st.sampled_from([0, 0, 4]))
    look = draw(st.sampled_from(["{line}", "{n:>6}→{line}", "{n:>6}→{line}", "{n}\t{line}"]))
    shown = [
        look.format(n=n, line=line) for n, line in enumerate(lines[first:], first + draw(st.sampled_from([1, 1, 96])))
    ]
    return "\n".join(
        [*draw(st.sampled_from([[], [], ["The file has been updated:"]])), *shown, *draw(st.sampled_from([[], [""]]))]
    )


results = st.one_of(texts, st.just("42"), reads())

Turn = tuple[Message, ...]
"""Messages that stand together; their ids and those of their calls are made when a transcript is put together"""


def chat(*spoken: tuple[str, str]) -> Transcript:
    """A conversation of (role, text); a role with a `!` behind it is pinned."""
    return Transcript(
        tuple(
            Message(f"m{n}", role.rstrip("!"), (Text(text),), pinned=role.endswith("!"))
            for n, (role, text) in enumerate(spoken, 1)
        )
    )


def context(target: int, framing: Framing | None = None, rules: Rules | None = None, last: bool = True) -> Context:
    """Counts with o200k_base, framing as Chat Completions charges it."""
    return Context(Counter(tokenizer(), framing or Framing()), target, rules or Rules(), last, model=quoting())


def said(role: str, *blocks: Block, name: str | None = None) -> Message:
    return Message("", role, blocks, name=name)


@st.composite
def exchanges(draw: st.DrawFn) -> Turn:
    """An assistant's message with one to three calls, and their results: in one message, in one each, or missing."""
    count = draw(st.integers(1, 3))
    calls = [ToolCall(f"c{n}", "read_file", draw(arguments)) for n in range(count)]
    head: list[Block] = draw(st.sampled_from([[], [Text("Let me have a look at the file first.")]]))
    thinking = draw(st.lists(thoughts, max_size=1))
    media = (IMAGE,) if draw(st.integers(0, 9)) == 0 else ()
    answers = [ToolResult(f"c{n}", draw(results), media) for n in range(draw(st.integers(0, count)))]
    asked = said("assistant", *thinking, *head, *calls)
    if draw(st.booleans()):
        return asked, *(said("tool", answer) for answer in answers)
    return (asked, said("user", *answers)) if answers else (asked,)


turns: st.SearchStrategy[Turn] = st.one_of(
    st.builds(lambda a, b: (said("user", Text(a)), said("assistant", Text(b))), texts, texts),
    st.builds(lambda a, b: (said("user", Text(a)), said("assistant", Text(b))), texts, texts),
    exchanges(),
    st.builds(lambda t, a: (said("assistant", t, Text(a)),), thoughts, texts),
    st.builds(lambda t: (said("user", Text(t), name="Ada_L"),), texts),
    st.builds(lambda t: (said("system", Text(t)),), texts),
    st.builds(lambda t: (said("user", Text(t), IMAGE),), texts),
    st.builds(lambda t: (said("user", Text("Here it is again:"), Text(t)),), reads()),
    st.builds(lambda t: (said("tool", ToolResult("nobody", t)),), results),
    st.sampled_from(
        [
            (said("user"),),
            (said("assistant", Text("")),),
            (said("user", IMAGE),),
            (said("assistant", ToolCall("c0", "lost", "{}")),),
            (said("assistant", Thinking("", "c2lnbmF0dXJl")),),
            (said("unknown", Opaque("unknown line", text='{"role": "use')),),
        ]
    ),
)


def assembled(taken: Sequence[Turn], *, same_ids: bool = False) -> Transcript:
    """The turns as one transcript, each with call ids of its own, or the same for all."""
    messages = [
        message.with_blocks(_renamed(block, 0 if same_ids else n) for block in message.blocks)
        for n, turn in enumerate(taken)
        for message in turn
    ]
    return Transcript(tuple(replace(m, id=f"m{n}") for n, m in enumerate(messages, 1)))


def _renamed(block: Block, turn: int) -> Block:
    if isinstance(block, ToolCall):
        return replace(block, id=f"{turn}-{block.id}")
    return replace(block, call_id=f"{turn}-{block.call_id}") if isinstance(block, ToolResult) else block


pins = st.one_of(
    st.just(Pins()), st.builds(Pins, system=st.booleans(), first=st.integers(0, 2), recent=st.integers(0, 3))
)


@st.composite
def looks(draw: st.DrawFn) -> Turn:
    """The file is read."""
    asked = said("assistant", ToolCall("c0", "Read", '{"file_path": "harbour/main.py"}'))
    return asked, said("tool", ToolResult("c0", draw(reads())))


@st.composite
def sessions(draw: st.DrawFn) -> Transcript:
    """A conversation in which a file is read over and over, with some messages pinned."""
    taken = draw(st.lists(st.one_of(looks(), looks(), looks(), turns), min_size=3, max_size=8))
    return draw(pins)(assembled(taken))


@st.composite
def transcripts(draw: st.DrawFn, most: int = 8) -> Transcript:
    """A conversation of up to `most` turns, some of them said twice, with some messages pinned."""
    taken = draw(st.lists(turns, min_size=1, max_size=most))
    for copy in draw(st.lists(st.integers(0, len(taken) - 1), max_size=2)):
        taken.append(taken[copy])
    return draw(pins)(assembled(taken, same_ids=draw(st.integers(0, 9)) == 0))


def long_transcript(seed: int) -> Transcript:
    """Some thousand tokens of talk and code, the system message pinned."""
    draw = random.Random(seed)
    taken: list[Turn] = [(said("system", Text("Be brief.")),)]
    for n in range(draw.randint(12, 40)):
        role = "assistant" if n % 2 else "user"
        if draw.random() < 0.15:
            answer = ToolResult("c0", _talk(draw, draw.randint(1, 6)))
            taken.append((said("assistant", ToolCall("c0", "search", '{"query": "harbour"}')), said("tool", answer)))
        elif n > 4 and draw.random() < 0.1:
            taken.append(draw.choice(taken[1:]))
        else:
            taken.append((said(role, Text(_talk(draw, draw.randint(1, 6)))),))
    return Pins()(assembled(taken))


def _talk(draw: random.Random, sentences: int) -> str:
    found = []
    for _ in range(sentences):
        kind = draw.random()
        if kind < 0.02:
            found.append("```\n" + f"{draw.choice(WORDS)}[0] = compute(alpha, beta)\n" * draw.randint(2, 120) + "```\n")
        elif kind < 0.08:
            found.append(draw.choice(BLOCKS[:-1]) + "\n\n")
        elif kind < 0.2:
            found.append(draw.choice(PLAIN))
        elif kind < 0.35:
            found.append(draw.choice(FRAMES).format(draw.choice(sorted(PLANTED.values()))))
        else:
            found.append(" ".join(draw.choices(WORDS, k=draw.randint(4, 18))).capitalize() + ".")
    return draw.choice([" ", " ", "\n", "\n\n"]).join(found)


LINES = st.sampled_from(
    ["User: a", "AI: b", "Ada: c", "\\User: a", "\\\\Ada: c", "```", "```py", "~~~", "\\```", "text", "", "  in",
     "===== conversation 2 =====", "Ada [10:02]: x", "**User:** y", "---", "a\\b"]
)  # fmt: skip
TALK = st.lists(LINES, min_size=1, max_size=7).map("\n".join)
SPOKEN = st.lists(st.tuples(st.sampled_from(["user", "assistant", "system"]), TALK), min_size=1, max_size=4)
"""Turns that hold what means something in plain text and Markdown"""
