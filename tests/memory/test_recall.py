"""What is found by a question, in which order, and what is shown of it."""

from __future__ import annotations

import pytest

from boildown.memory.messages import Said, Scope
from boildown.memory.passages import excerpt, passages
from boildown.memory.recall import recall
from boildown.memory.terms import indexed, parts, phrases


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("When did we decide?", "Deciding took a week."),
        ("where is the café", "The cafe is closed."),
        ("user name", "call getUserName(id) first"),
        ("get_user_name", "get_user_name() is slow"),
        ("run.py", "edit compressors/boildown/run.py"),
        ("compressors/boildown/run.py", "edit compressors/boildown/run.py"),
        ("which release was v2.4.1", "since v2.4.1 it is slow"),
        ("定价", "我们决定了新的定价方案"),
        ("我们关于定价决定了什么", "新的定价方案"),
        ("会議", "明日の会議は三時です"),
        ("회의", "내일 회의 는 세 시입니다"),
        ("Когда встреча", "Встреча в пять"),
        ("C++", "in C++ it is a template"),
    ],
)
def test_a_question_finds(put, find, question, text):
    put("nothing of the kind", text, "something else")
    assert find(question)[0] == text


@pytest.mark.parametrize(
    "question",
    [
        '"', '"" OR', "NEAR(a b, 2)", "a AND", "NOT", "*", "text : a", "{text} : a", "^a", "a*", "(((", "a -b", "+",
        "'", "\\", "", "   ", "\x00", "\ud800", "a" * 100_000, "word " * 10_000, "💥", "; DROP TABLE messages", "%",
        "the of and", "\n", " ".join(f"w{n}" for n in range(5000)), "—" * 300,
    ],
)  # fmt: skip
def test_no_question_is_an_error(put, find, question):
    put("a b word", "the of and")
    assert isinstance(find(question), list)


def test_a_question_of_function_words_looks_for_them(put, find):
    put("to be or not to be", "cheese")
    assert find("to be")[0] == "to be or not to be"


def test_a_message_whose_neighbours_have_the_other_words_comes_first(put, find):
    put(
        "the budget is gone",
        "x",
        "y",
        "z",
        "what of the hotel budget?",
        "it is 900 for the hotel",
        "fine",
        "q",
        "r",
        "a hotel",
    )
    assert find("hotel budget", most=2) == ["what of the hotel budget?", "it is 900 for the hotel"]


def test_a_neighbour_is_found_that_has_no_word_of_the_question(put, find):
    put("What is the door code?", "4411, I think.", "something else", "and more", "and still more")
    assert find("door code")[:2] == ["What is the door code?", "4411, I think."]


def test_neighbours_are_those_of_the_same_session(put, find):
    put("the door code", session="a")
    put("4411", session="b")
    assert find("door code") == ["the door code"]


def test_who_is_asked_about_speaks_first(put, find):
    said = [Said("m1", "user", "I went camping", "Ada"), *[Said("m", "user", f"filler {n}", "Eve") for n in range(9)]]
    put(*said, Said("m2", "user", "I went camping", "Ben"))
    assert find("where did Ben go camping", most=1) == ["I went camping"]


def test_the_speakers_name_decides(put, store):
    fillers = [Said("m", "user", f"filler {n}", "Eve") for n in range(9)]
    put(Said("m1", "user", "I went camping", "Ada"), *fillers, Said("m2", "user", "I went camping", "Ben"))
    for name in ("Ada", "Ben"):
        assert recall(store, f"where did {name} go camping", Scope(), 1)[0].kept.said.name == name


def test_scores_are_between_0_and_1_and_fall(put, store):
    put(*(f"pricing {'plan ' * n}of {n}" for n in range(30)))
    scores = [hit.score for hit in recall(store, "pricing plan", Scope(), 20)]
    assert len(scores) == 20
    assert scores == sorted(scores, reverse=True)
    assert all(0 < score <= 1 for score in scores)


def test_a_words_weight_is_that_among_the_users_own_messages(put, store, find):
    own = ["alpha one", "alpha two", "alpha three", "x", "y", "z", "beta four"]
    put(*own, user="ada")
    before = [(h.kept.said.text, h.score) for h in recall(store, "alpha beta", Scope("ada"))]
    put(*(f"beta {n}" for n in range(200)), user="ben")
    after = [h.kept.said.text for h in recall(store, "alpha beta", Scope("ada"))]
    assert [text for text, _ in before] == after


def test_what_others_often_say_keeps_nobody_from_finding_their_own(put, find):
    put("our own pricing", "filler", user="ada")
    put(*(f"pricing {n}" for n in range(2500)), *(f"tariff {n}" for n in range(1500)), user="ben")
    assert find("pricing tariff", user="ada") == ["our own pricing", "filler"]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("plain words", ""),
        ("getUserName and HTTPServer", "get User Name HTTP Server"),
        ("McDonald", "Mc Donald"),
        ("ABC abc Abc", ""),
    ],
)
def test_identifiers_in_humps_come_apart(text, wanted):
    assert parts(text) == wanted


def test_cjk_characters_stand_by_themselves_in_the_index():
    assert indexed("新定价 plan").split() == ["新", "定", "价", "plan"]


def test_function_words_are_those_of_the_questions_language():
    assert phrases("Where does his son live?") == ["son", "live"]  # "son" is French for "his"
    assert len(phrases(" ".join(f"w{n}" for n in range(1000)))) == 64


@pytest.mark.parametrize("length", [60, 100, 400])
def test_an_excerpt_is_where_the_words_are(length):
    text = "filler " * 200 + "the code is 4411 now " + "filler " * 200
    cut = excerpt(text, {"code", "4411"}, length)
    assert "the code is 4411" in cut
    assert len(cut) <= length + 2
    assert cut.strip("…") in text


@pytest.mark.parametrize("most", [1, 10, 50, 200, 1000])
def test_passages_take_no_more_than_they_may(put, store, most):
    put(*(f"pricing {n} " + "words and more words " * (n * n) for n in range(12)))
    hits = recall(store, "pricing words", Scope())

    def size(some):
        texts = [p.text for p in some] + [s.said.text for p in some for s in (p.before, p.after) if s]
        return sum(len(text) // 4 + 1 for text in texts)

    shown = passages(store, hits, "pricing words", Scope(), size, most)
    assert size(shown) <= most or not shown
    assert [p.hit for p in shown] == hits[: len(shown)]


def test_a_neighbour_outside_of_the_scope_is_not_shown(put, store):
    put(Said("m1", "user", "before"), Said("m2", "assistant", "the code is 1"), Said("m3", "user", "after"))
    scope = Scope(role="assistant")
    (shown,) = passages(store, recall(store, "code", scope), "code", scope, len, 1000)
    assert (shown.before, shown.after) == (None, None)
    (shown, *_) = passages(store, recall(store, "code", Scope(), 1), "code", Scope(), len, 1000)
    assert [k.said.text for k in (shown.before, shown.after) if k] == ["before", "after"]
