"""A summary's lines against their source: what is founded, and what is found to be made up."""

from __future__ import annotations

import time

import pytest

from boildown.summaries.checks import Evidence
from boildown.summaries.summary import Summary
from boildown.transcript import Message, Text, ToolCall, ToolResult

ID = "f82fa48e-a8dd-42c8-a49a-7193b101bbf5"
TALK = (
    Message(
        "m1",
        "user",
        (
            Text(
                "My dog Luna turned 3 on May 7. We spent $1,200 and the drive took 15 minutes. It's in src/app/a.py, "
                'see https://x.org/a/b?c=1. I decided to use Redis, not "big  iron". Call `load_all(path)` from commit '
                "3cff8cfa91. Twenty-five guests came; v1.2.3 is out."
            ),
        ),
        name="Caroline",
        time="2023-05-08T10:05:00Z",
    ),
    Message(
        "m2",
        "assistant",
        (Text("Great! I went hiking in Norway yesterday with my violin, at 4:30 pm."),),
        name="Melanie",
    ),
    Message("m3", "assistant", (ToolCall("c1", "Read", '{"path": "lib/Gate.ts"}'),), name="Melanie"),
    Message(
        "m4",
        "tool",
        (ToolResult("c1", f"timeoutMs = 250\nretries: 4\nTests:  18 passed, 2 failed\n./logs/{ID}/full.jsonl:15"),),
    ),
    Message(
        "m6",
        "assistant",
        (
            Text('src/gate/run.go-194- return nil\n{"said": "a\\nload_gate\\tlib/a.go"}\n'),
            Text("`tsgo -p tsconfig.build.json` with process.env.TERM"),
            Text('`git commit -m "A b" --author "C"`'),
        ),
        name="Melanie",
    ),
    Message("m5", "user", (Text("Nice, let us meet again on Friday about the gate's retries."),), name="Caroline"),
)
EVIDENCE = Evidence.of(TALK)

FOUNDED = [
    "Caroline's dog Luna turned three on 7 May 2023.",
    "The dog turned 3 on 2023-05-07.",
    "They spent 1200 dollars; the drive took 15 min.",
    "Spent US$1.2k on it.",
    "The drive was a 15-minute one.",
    "Files: `a.py`, app/a.py, ./src/app/a.py and lib/Gate.ts:4.",
    "Source: https://x.org/a/b",
    'The user chose Redis over "Big iron".',
    "`load_all()` of commit 3cff8cf is called.",
    "25 guests, version 1.2.3.",
    "Melanie hiked on 7 May, at 16:30.",
    "They talked on 8 May, in May 2023 and at 10:05.",
    "1. Discussed the outcome: 18 passed, 2 failed.",
    "The two agreed, and one of them made plans.",
    "## Key Decisions",
    "User wants timeoutMs to be 250.",
    "It stands in src/gate/run.go, in lib/a.go and in `load_gate` or load_gate().",
    'They ran `git commit -m "A b" --author "C"`.',
    "They ran tsgo on tsconfig.build.json and set process.env.TERM.",
    f"It stands in logs/{ID}/full.jsonl, or in {ID}/full.jsonl and {ID}.",
]
UNFOUNDED = [
    ("Luna turned 4.", "the number 4"),
    ("They spent $1,500.", "the number 1,500 $"),
    ("The drive took 15 hours.", "the number 15 h"),
    ("It happened on 8 June.", "the date 8 June"),
    ("The dog turned 3 on 2022-05-07.", "the date 2022-05-07"),
    ("They met in October.", "the name October"),
    ("Bob came, too.", "the name Bob"),
    ("It was decided by Ruth.", "the name Ruth"),
    ("It stands in lib/app/a.py.", "the path lib/app/a.py"),
    ("It stands in src/app/a.", "the path src/app/a"),
    ("See `src/app/b.py`.", "the words `src/app/b.py`"),
    ("See https://x.org/a/c.", "the URL https://x.org/a/c"),
    ("Call load_some now.", "the identifier load_some"),
    ("Commit 3cff8cfb is in.", "the identifier 3cff8cfb"),
    ('She said "small iron".', 'the words "small iron"'),
    ("Forty guests came.", "the number Forty"),
    ("It was at 4:30 am.", "the date 4:30 am"),
    ("It failed with code E-4711.", "the identifier E-4711"),
    ("It stands in tsconfig.bundle.json.", "the path bundle.json"),
    ("It stands in src/gate/run.goo.", "the path src/gate/run.goo"),
    ('They ran `git commit -m "A" --author "C"`.', 'the words `git commit -m "A" --author "C"`'),
    (f"It stands in logs/{ID}/half.jsonl.", f"the path logs/{ID}/half.jsonl"),
    (f"See session {ID[:-1]}7.", f"the identifier {ID[:-1]}7"),
]


@pytest.mark.parametrize("line", FOUNDED)
def test_what_the_source_says_in_any_form_is_founded(line: str) -> None:
    assert EVIDENCE.unfounded(line) == ()


@pytest.mark.parametrize(("line", "thing"), UNFOUNDED)
def test_what_the_source_lacks_is_found(line: str, thing: str) -> None:
    assert EVIDENCE.unfounded(line) == (thing,)


@pytest.mark.parametrize("line", ["[call of Read] lib/Gate.ts was made.", "Melanie: [call of Read]", "It used Read."])
def test_what_only_the_prompt_shows_is_founded(line: str) -> None:
    assert EVIDENCE.unfounded(line) == ()


def test_what_an_earlier_summary_says_counts_as_source() -> None:
    earlier = Summary({"facts": ("Ruth pays 4711 euros.",)}, verbatim=("Bob: 9 June",))
    evidence = Evidence.of(TALK, (earlier,))
    assert evidence.unfounded("Ruth pays 4,711 € on 9 June, says Bob.") == ()


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ("Caroline said that she went hiking in Norway with her violin.", True),
        ("Melanie said that she went hiking in Norway with her violin.", False),
        ("Melanie told Caroline of hiking in Norway.", False),
        ("Melanie decided to use Redis and not iron.", True),
        ("Caroline decided to use Redis and not iron.", False),
        ("Caroline went hiking in Norway.", False),
        ("Caroline wants a holiday.", False),
        ("Caroline agreed to hiking in Norway.", False),
        ("Caroline: I went hiking in Norway yesterday with my violin.", True),
        ("Melanie: I went hiking in Norway yesterday with my violin.", False),
        ("**Caroline**: Great! I went hiking in Norway.", True),
        ("- Melanie (assistant): Nice, let us meet again on Friday.", True),
        ("Melanie: let us meet again", True),
        ("Caroline: let us meet again", False),
        ("Caroline: hiking in Norway as Melanie did.", False),
        ("Norway: Melanie went hiking there with a violin.", False),
        ("Caroline: a dog and a holiday.", False),
        ("Melanie: Great!", False),
        ("Caroline's trip: I went hiking in Norway yesterday.", False),
    ],
)
def test_words_of_one_speaker_are_not_given_to_another(line: str, wrong: bool) -> None:
    assert bool(EVIDENCE.misattributed(line)) == wrong


BELOW = Summary(
    {
        "facts": (
            "Melanie painted a lake sunrise last year.",
            "Caroline attended a support group for adopted children.",
            "Caroline and Melanie talked about pottery classes in the museum.",
            "She ran a charity race in Boston.",
        ),
        "decisions": ("The user decided to rotate session cookies hourly.",),
    },
    cut=("Melanie: violin lessons every Tuesday cost 45 euros",),
)
ABOVE = Evidence.of((), [BELOW], {"caroline", "melanie", "user", "assistant"})


@pytest.mark.parametrize(
    ("line", "whose"),
    [
        ("Caroline painted a sunrise on a lake.", "melanie"),
        ("Melanie painted a sunrise on a lake.", ""),
        ("Melanie attended the support group.", "caroline"),
        ("Caroline attended pottery classes in the museum.", ""),
        ("Caroline ran a charity race in Boston.", ""),
        ("Caroline liked the sunrise that Melanie painted.", ""),
        ("Caroline: I painted a lake sunrise.", "melanie"),
        ("Caroline has violin lessons every Tuesday.", "melanie"),
        ("The assistant decided to rotate session cookies.", "user"),
        ("The user decided to rotate session cookies.", ""),
        ("The assistant rotated session cookies.", ""),
        ("Caroline decided to rotate session cookies.", ""),
    ],
)
def test_what_summaries_tell_of_one_is_not_told_of_another(line: str, whose: str) -> None:
    found = ABOVE.misattributed(line)
    assert found.endswith(f"is told only of {whose}") if whose else not found


def test_what_new_messages_say_may_be_of_anybody() -> None:
    talk = [Message("m9", "assistant", (Text("I saw that you painted a lake at sunrise, too!"),), name="Melanie")]
    evidence = Evidence.of(talk, [BELOW], {"caroline"})
    assert not evidence.misattributed("Caroline painted a lake at sunrise.")
    assert evidence.misattributed("Melanie attended the support group.")


def test_what_could_only_be_cut_counts_as_source() -> None:
    assert ABOVE.unfounded("Violin lessons cost 45 euros.") == ()


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ("Jonas sagte, dass 150 Euro Anzahlung bis Freitag zu überweisen sind.", True),
        ("Anna sagte, dass 150 Euro Anzahlung bis Freitag zu überweisen sind.", False),
        ("Anna dit que Jonas veut louer des vélos à Nexø.", False),
        ("Anna veut louer des vélos bleus à Nexø.", True),
        ("Jonas veut louer des vélos bleus à Nexø.", False),
    ],
)
def test_who_says_it_is_told_in_other_languages_as_well(line: str, wrong: bool) -> None:
    talk = [
        Message("m1", "user", (Text("Die Anzahlung von 150 Euro ist bis Freitag zu überweisen."),), name="Anna"),
        Message("m2", "user", (Text("Je vais louer des vélos bleus à Nexø."),), name="Jonas"),
    ]
    assert bool(Evidence.of(talk).misattributed(line)) == wrong


def test_speakers_who_share_a_part_of_their_names_are_told_apart() -> None:
    said = {"Grad_A": "The wizard of oz experiment starts on Monday.", "Grad_B": "I will write the belief net."}
    evidence = Evidence.of([Message(name, "user", (Text(text),), name=name) for name, text in said.items()])
    assert evidence.misattributed("Grad A: I will write the belief net.")
    assert not evidence.misattributed("Grad B: I will write the belief net.")
    assert evidence.misattributed("Grad A proposed to write the belief net.")
    assert not evidence.misattributed("Grad B proposed to write the belief net.")


def test_the_user_is_not_said_to_say_what_only_the_assistant_said() -> None:
    evidence = Evidence.of(
        (
            Message("m1", "user", (Text("Fix the login."),)),
            Message("m2", "assistant", (Text("I propose rotating session cookies hourly."),)),
        )
    )
    assert "user" in evidence.misattributed("The user proposed rotating session cookies hourly.")
    assert not evidence.misattributed("The assistant proposed rotating session cookies hourly.")


def test_a_long_span_is_read_and_checked_in_seconds() -> None:
    said = [f"Run {n}: port {8000 + n} of host-{n} took {n % 97} ms, see logs/run_{n}.txt." for n in range(6000)]
    lines = [f"Run {n} reached port {8000 + n}, see `logs/run_{n}.txt`." for n in range(200)]
    start = time.process_time()
    evidence = Evidence.of([Message(f"m{n}", "user", (Text(text),)) for n, text in enumerate(said)])
    assert [evidence.unfounded(line) for line in lines] == [()] * 200
    assert time.process_time() - start < 5
