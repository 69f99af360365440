"""What `recall` finds is told what is newer: of one user, and where it is known what came later."""

from __future__ import annotations

import pytest

from boildown.memory.messages import Said, Scope
from boildown.memory.recall import recall


def test_the_newest_value_wins(put, store):
    put("The deadline of the deadline report is Wednesday.", "ok", "yes", "They moved the report's deadline to Friday.")
    hits = recall(store, "when is the deadline of the report?", Scope())
    assert [hit.kept.said.id for hit in hits[:2]] == ["m4", "m1"]
    assert [hit.newer.said.id if hit.newer else "" for hit in hits[:2]] == ["", "m4"]


@pytest.mark.parametrize(
    ("first", "second", "newer"), [(100.0, 200.0, "new"), (200.0, 100.0, None), (None, None, None)]
)
def test_between_sessions_the_time_tells_what_is_newer(put, store, first, second, newer):
    put(Said("old", "user", "My home town: I live in Berlin.", moment=first), session="a")
    put(Said("new", "user", "My home town: I moved to Porto.", moment=second), session="b")
    (old,) = [hit for hit in recall(store, "what is my home town?", Scope()) if hit.kept.said.id == "old"]
    assert (old.newer.said.id if old.newer else None) == newer


def test_what_another_user_says_makes_nothing_stale(put, store):
    put("My home town: I live in Berlin.", user="ada")
    put("nothing", "My home town: I moved to Porto.", user="bob")
    assert [hit.newer for hit in recall(store, "home town", Scope("ada"))] == [None]
