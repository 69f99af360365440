"""Which sentence supersedes which: a table of both."""

from __future__ import annotations

import re

import pytest

from boildown.facts.claims import may_hold, topic
from boildown.facts.superseding import Reach, assertion, outdated, superseded, supersedes, surely
from roundtrip import files


def ends(*said: str, by: tuple[str, ...] = ()) -> dict[int, int]:
    speakers = by or ("ada",) * len(said)
    return superseded(
        [assertion(text, who, (0.0, n)) for n, (text, who) in enumerate(zip(said, speakers, strict=True))]
    )


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        ("I live in Berlin.", "I just moved to Porto."),
        ("I live in Berlin.", "I moved from Berlin to Porto last week."),
        ("I work at Acme.", "I now work for Initech."),
        ("My favourite band is Radiohead.", "My new favorite band is Portishead."),
        ("The deadline is Wednesday.", "They moved the deadline to Friday."),
        ("The deadline for the report is 3 May 2027.", "The new deadline for the report is 10 May 2027."),
        ("The sprint deadline is April 1, 2024.", "We have a new sprint deadline of April 5, 2024."),
        ("The API has a quota of 1,000 calls per day.", "The new daily API quota is 1,200 calls."),
        ("Test coverage of the parser is at 65%.", "Test coverage of the parser improved to 78%."),
        ("We meet on Thursday.", "Actually, it is Friday."),
        ("The store runs on Postgres.", "For the store we take SQLite instead of Postgres."),
        ("We use Redis for the queue.", "The queue: we replaced Redis with Kafka."),
        ("I play the violin in an orchestra.", "I no longer play the violin."),
        ("I play tennis on Mondays.", "I don't play tennis any more."),
    ],
)
def test_a_newer_value_supersedes_an_older_one(earlier, later):
    assert ends(earlier, later) == {0: 1}
    assert Reach([assertion(later, "ada", (0.0, 1))])(earlier, topic(earlier))


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        ("I went camping on June 3.", "I went camping on July 5."),
        ("The coach costs £385.", "The new lodge costs £5,340."),
        ("I live in Berlin.", "I live in Berlin now."),
        ("The deadline is Wednesday.", "The deadline is still Wednesday."),
        ("My sister lives in Leeds.", "I moved to Porto."),
        ("My favourite band is Radiohead.", "My favourite city is Porto."),
        ("We sold 12 tickets.", "There are now 30 pages in the novel."),
        ("I love the violin.", "I no longer eat meat."),
    ],
)
def test_another_thing_is_not_superseded(earlier, later):
    assert ends(earlier, later) == {}


@pytest.mark.parametrize("sentence", ["I love the violin.", "The deadline is near.", "My sister lives in Leeds."])
def test_a_glance_tells_what_has_no_value_that_is_changed(sentence):
    changes = "They moved the deadline to Friday.", "I just moved to Porto.", "We take SQLite instead of Postgres."
    assert not Reach([assertion(one, "ada", (0.0, 1)) for one in changes])(sentence, topic(sentence))


@pytest.mark.parametrize("path", files("locomo/locomo*.json")[:1])
def test_a_glance_never_misses_what_is_superseded_nor_a_value(path):
    texts = re.findall(r'"text": "((?:[^"\\]|\\.)*)"', path.read_text())
    said = [assertion(one, "ada", (0.0, n)) for n, text in enumerate(texts) for one in re.split(r"(?<=[.!?]) ", text)]
    assert sum(len(one.values) for one in said) > 50
    assert all(may_hold(one.sentence, {value.kind}) for one in said for value in one.values)
    telling = [one for one in said if one.changes]
    reach = Reach(telling)
    ended = {
        earlier for earlier in said for later in telling if later.order > earlier.order and supersedes(later, earlier)
    }
    assert ended
    assert all(reach(one.sentence, one.topic) for one in ended)


def test_where_one_lives_is_not_changed_by_another():
    assert ends("I live in Berlin.", "I moved to Porto.", by=("ada", "bob")) == {}


def test_of_a_chain_each_is_superseded_by_the_newest():
    said = "I live in Berlin.", "I moved to Porto.", "I have now moved to Oslo."
    assert ends(*said) == {0: 2, 1: 2}


def test_without_a_question_a_number_is_superseded_only_among_the_same_words() -> None:
    old = assertion("I've completed 75% of the optimization course on resumes.", "user", (0.0, 1))
    same = assertion("I've now completed 90% of the optimization course on resumes.", "user", (0.0, 2))
    other = assertion("The grant now covers 40% of the course.", "user", (0.0, 2))
    assert superseded([old, same], surely) == {0: 1}
    assert superseded([old, other], surely) == {}


def test_without_a_question_nothing_goes_by_being_over_or_by_a_long_sentence() -> None:
    old = ("ada", "I've completed 75% of the optimization course on resumes.", 1)
    new = "I've now completed 90% of the optimization course on resumes"
    assert outdated([old, ("ada", f"{new}.", 2)]) == {0: 1}
    assert outdated([old, ("ada", f"{new}{', and I would like to hear more of it' * 6}.", 2)]) == {}
    assert (
        outdated([("ada", "I keep dreaming and keep going.", 1), ("ada", "Keep going and never quit dreaming.", 2)])
        == {}
    )
