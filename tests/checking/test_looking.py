"""Each limit holds what is just allowed to be sound, and names the place of what is not."""

from __future__ import annotations

import json

import pytest

from boildown.checking.limits import Limits
from boildown.checking.looking import Looked, Original, look
from boildown.errors import InputError
from damage import broken, drop
from roundtrip import SAMPLES

AGENT = (SAMPLES / "openai-agent.jsonl").read_bytes()
LOGIN = (SAMPLES / "openai-login.jsonl").read_bytes()
MEANWHILE = "Meanwhile the harbour master counted eleven ships, and wrote each one down in the long green book."


def looked(data: bytes, original: bytes | None = None, **limits: object) -> Looked:
    was = Original("was.jsonl", original) if original is not None else None
    return look(data, "x.jsonl", Limits(**limits), "o200k_base", original=was)


def found(data: bytes, original: bytes | None = None, **limits: object) -> list[tuple[str, int, int, str]]:
    """(rule, line, conversation, message) of what is found."""
    findings = looked(data, original, **limits).findings
    return [(one.rule, one.line, one.conversation, one.message) for one in findings]


def chat(*texts: str, **more: object) -> bytes:
    said = [{"role": ("user", "assistant")[n % 2], "content": text, **more} for n, text in enumerate(texts)]
    return b"".join(json.dumps(message).encode() + b"\n" for message in said)


def conversations(*chats: bytes) -> bytes:
    return b"".join(json.dumps({"messages": list(map(json.loads, one.splitlines()))}).encode() + b"\n" for one in chats)


def value(data: bytes, **limits: object) -> float:
    """What was measured against the one limit that is broken."""
    (finding,) = looked(data, **limits).findings
    return finding.value


SIZE = looked(AGENT).tokens


@pytest.mark.parametrize(
    ("name", "least", "place"),
    [
        ("max_tokens", SIZE, (1, 0, "")),
        ("max_file_tokens", SIZE, (0, 0, "")),
        ("max_message_tokens", None, (8, 0, "m8")),
        ("max_tool_share", None, (8, 0, "m8")),
    ],
)
def test_what_is_just_at_the_limit_passes_and_less_does_not(name, least, place):
    if least is None:
        least = max(one.value for one in looked(AGENT, **{name: 0 if "share" in name else 1}).findings)
    assert found(AGENT, **{name: least}) == []
    less = least * 0.999 if "share" in name else least - 1
    assert found(AGENT, **{name: less}) == [(name.replace("_", "-"), *place)]


def test_each_conversation_of_a_file_is_held_to_the_limit_and_the_file_to_all_of_them():
    short, long = chat("Hello there!"), chat(*[MEANWHILE] * 6)
    data, size = conversations(short, long, short), looked(long).tokens
    assert found(data, max_tokens=size) == []
    assert found(data, max_tokens=size - 1) == [("max-tokens", 2, 2, "")]
    assert found(data, max_file_tokens=size + 2) == [("max-file-tokens", 0, 0, "")]


def test_messages_sizes_are_the_conversations():
    messages = looked(AGENT, max_message_tokens=1).findings
    assert sum(one.value for one in messages) in range(SIZE - 5, SIZE + 1)


def test_what_stands_there_twice_is_a_share_of_all():
    twice = chat(MEANWHILE, "And then?", MEANWHILE)
    share = value(twice, max_duplicate_share=0.1)
    assert 0.3 < share < 0.4
    assert found(twice, max_duplicate_share=share) == []
    assert found(twice, max_duplicate_share=0.1) == [("max-duplicate-share", 3, 0, "m3")]
    assert found(chat(MEANWHILE, "And then?", MEANWHILE.upper()), max_duplicate_share=0.0) == []


BASE64 = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg" * 3


@pytest.mark.parametrize(
    "text",
    [
        BASE64,
        f"See data:image/png;base64,{BASE64}== and say.",
        "\n".join(BASE64[n : n + 76] for n in range(0, len(BASE64), 76)),
    ],
)
def test_base64_in_a_text_is_counted(text):
    data = chat("Hello.", text)
    tokens = value(data, max_base64_tokens=0)
    assert 140 < tokens < 200
    assert found(data, max_base64_tokens=tokens) == []
    assert found(data, max_base64_tokens=tokens - 1) == [("max-base64-tokens", 2, 0, "m2")]


@pytest.mark.parametrize(
    "text", ["0123456789abcdef" * 20, "-" * 400, "a/b/c/" * 80, "word " * 200, BASE64[:150], "Aa1" * 100]
)
def test_what_only_is_long_is_no_base64(text):
    assert found(chat(text), max_base64_tokens=0) == []


def test_an_image_in_the_file_is_base64_and_one_at_an_address_is_none():
    def shown(url: str) -> bytes:
        content = [{"type": "image_url", "image_url": {"url": url}}]
        return json.dumps({"role": "user", "content": content}).encode() + b"\n" + chat("What is it?")

    assert found(shown(f"data:image/png;base64,{BASE64}"), max_base64_tokens=10) == [("max-base64-tokens", 1, 0, "m1")]
    assert found(shown("https://example.org/a.png"), max_base64_tokens=0) == []


def test_a_secret_is_found_and_never_said():
    findings = looked(LOGIN, fail_on_secret=True).findings
    assert [(one.line, one.message, one.subject) for one in findings] == [
        (1, "m1", "url-password"),
        (1, "m1", "password"),
        (2, "m2", "password"),
    ]
    told = repr(findings)
    secrets = [word for word in LOGIN.decode().split() if any(c.isdigit() for c in word) and len(word) >= 8]
    assert secrets
    assert not any(secret.strip('".,\\') in told for secret in secrets)
    assert found(LOGIN, fail_on_secret=False) == []


def test_a_secret_beside_the_messages_is_found_with_its_line():
    data = chat("Hello.", "Good day.") + chat("Well?", meta={"password": "hunter2-Xk99"})
    assert found(data, fail_on_secret=True) == [("fail-on-secret", 3, 0, "")]


def test_a_secret_that_the_record_repeats_is_found_once():
    data = chat("DB_PASSWORD=Zq9mmT4vXy", meta={"password": "Zq9mmT4vXy"})
    assert found(data, fail_on_secret=True) == [("fail-on-secret", 1, 0, "m1")]


def test_a_title_that_tells_a_secret_is_not_said():
    said = [{"uuid": "1", "sender": "human", "text": MEANWHILE, "created_at": "2024-01-01T00:00:00Z"}]

    def titled(title: str) -> bytes:
        return json.dumps([{"uuid": "x", "name": title, "chat_messages": said}] * 2).encode()

    assert {one.title for one in looked(titled("The harbour"), max_tokens=1).findings} == {"The harbour"}
    assert {one.title for one in looked(titled("DB_PASSWORD=Zq9mmT4vXy"), max_tokens=1).findings} == {""}


def test_a_placeholder_is_no_secret():
    assert found(chat("DB_PASSWORD=[redacted:password:1]"), fail_on_secret=True) == []


def test_what_validate_finds_is_found():
    data = broken("claude-code.jsonl", drop(23))
    assert [rule for rule, *_ in found(data, valid=True)] == ["orphan-call", "dangling-parent"]
    assert found(data, valid=False) == []
    (first, _) = looked(data, valid=True).findings
    assert (first.line, first.subject, first.check) == (21, "toolu_01Edit", "valid")


FULL = chat("The port is 8080.", "Noted: port 8080.", "The deadline is 2024-03-05, and Ada decides.")


def test_retention_is_that_of_evaluate():
    less = chat("The port is 8080.", "Noted: port 8080.")
    assert found(FULL, FULL, min_retention=1.0) == []
    (one,) = looked(less, FULL, min_retention=0.99).findings
    assert 0.1 < one.value < 0.5
    assert found(less, FULL, min_retention=one.value) == []
    assert "was.jsonl" in one.what


def test_a_conversation_that_went_retains_nothing():
    two = conversations(FULL, FULL)
    (one,) = looked(conversations(FULL), two, min_retention=0.9).findings
    assert one.value == pytest.approx(0.5)
    with pytest.raises(InputError, match=r"more conversations than was\.jsonl"):
        looked(two, conversations(FULL), min_retention=0.9)


def test_what_is_not_asked_for_is_not_looked_for():
    assert found(broken("claude-code.jsonl", drop(23))) == []


def test_real_sessions_hold_no_secret_and_their_lines_hold_the_messages(shared):
    path = min((shared / "data" / "claude-code" / "entire-cli").glob("*.jsonl"), key=lambda p: p.stat().st_size)
    data = path.read_bytes()
    result = look(data, path.name, Limits(max_message_tokens=200, fail_on_secret=True), "o200k_base")
    rows = data.split(b"\n")
    assert result.findings
    assert {one.rule for one in result.findings} == {"max-message-tokens"}
    assert all(b'"message"' in rows[one.line - 1] for one in result.findings)
