"""Which secrets are found, from where to where, and what only looks like one. All keys are made up here."""

from __future__ import annotations

import random
import re
import string
import uuid
from base64 import b64encode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from boildown.secrets import library
from boildown.secrets.search import find, rules

ALL = rules()
DRAW = random.Random(11)


def drawn(length: int, letters: str = string.ascii_letters + string.digits) -> str:
    return "".join(DRAW.choices(letters, k=length))


DIGITS, HEX = string.digits, "0123456789abcdef"
TOKENS = {
    "anthropic-key": ["sk-ant-" + f"api03-{drawn(93)}AA", "sk-ant-" + f"oat01-{drawn(86)}-{drawn(8)}AA"],
    "openai-key": ["sk-" + f"proj-{drawn(74)}T3BlbkFJ{drawn(74)}", "sk-" + f"{drawn(20)}T3BlbkFJ{drawn(20)}"],
    "api-key": ["sk-" + drawn(32, HEX)],
    "github-token": ["gh" + f"p_{drawn(36)}", "gh" + f"s_{drawn(76)}", "github" + f"_pat_{drawn(22)}_{drawn(59)}"],
    "gitlab-token": ["glpat" + f"-{drawn(20)}", "glpat" + f"-{drawn(27)}.01.{drawn(9)}"],
    "slack-token": ["xox" + f"b-{drawn(11, DIGITS)}-{drawn(12, DIGITS)}-{drawn(24)}", "xapp" + f"-1-{drawn(40)}"],
    "slack-webhook": ["hooks.slack" + f".com/services/T{drawn(9)}/B{drawn(9)}/{drawn(24)}"],
    "aws-key": ["AK" + "IA" + drawn(16, string.ascii_uppercase + "234567")],
    "google-key": ["AI" + f"za{drawn(35)}", "GOC" + f"SPX-{drawn(28)}"],
    "huggingface-token": ["hf" + f"_{drawn(34, string.ascii_letters)}"],
    "npm-token": ["np" + f"m_{drawn(36)}"],
    "pypi-token": ["pypi" + f"-AgEIcHlwaS5vcmc{drawn(140)}"],
    "stripe-key": ["sk_" + f"live_{drawn(24)}", "rk_" + f"live_{drawn(99)}", "whsec" + f"_{drawn(12)}+{drawn(19)}"],
    "sendgrid-key": ["SG" + f".{drawn(22)}.{drawn(43)}"],
    "twilio-key": ["S" + f"K{drawn(32, HEX)}"],
    "telegram-token": [f"{drawn(9, '123456789')}:" + f"AA{drawn(33)}"],
    "discord-token": [b64encode(b"987654321098765432").decode() + f".{drawn(6)}.{drawn(27)}"],
    "jwt": ["ey" + f"J{drawn(30)}.eyJ{drawn(60)}.{drawn(43)}"],
    "vault-token": ["hv" + f"s.{drawn(90)}"],
    "groq-key": ["gs" + f"k_{drawn(52)}"],
    "databricks-token": ["dap" + f"i{drawn(32, HEX)}"],
}  # fmt: skip
AROUND = [
    "{}",
    "key: {}, and",
    '{{"a": "{}"}}',
    "https://{}@host/x",
    "A={}\nB=1",
    "\\n{}\\n",
    "\x1b[31m{}\x1b[0m",
    "({}).",
]


def secrets(text: str, **options: bool) -> list[tuple[str, str]]:
    return [(one.kind, text[one.start : one.end]) for one in find(text, rules(**options))]


@pytest.mark.parametrize("around", AROUND)
@pytest.mark.parametrize(("kind", "token"), [(kind, token) for kind, tokens in TOKENS.items() for token in tokens])
def test_a_token_is_found_whole_wherever_it_stands(kind: str, token: str, around: str) -> None:
    found = secrets(around.format(token))
    assert len(found) == 1
    assert token in found[0][1]
    assert len(found[0][1]) - len(token) <= len(" https://")


@pytest.mark.parametrize(("kind", "token"), [(kind, token) for kind, tokens in TOKENS.items() for token in tokens])
def test_a_token_is_called_by_its_kind(kind: str, token: str) -> None:
    assert secrets(f"It is {token} now") == [(kind, token)]


CODE = drawn(24) + "7x"


@pytest.mark.parametrize(
    ("text", "kind", "secret"),
    [
        ("postgres://app:hunter2@db.example.com:5432/x", "url-password", "hunter2"),
        ("git clone https://me:Ab9kk2@git.host/r", "url-password", "Ab9kk2"),
        ("redis://:Ab9kk2@cache:6379", "url-password", "Ab9kk2"),
        (f"Authorization: Bearer {CODE}", "bearer-token", CODE),
        (f"-H 'authorization: bearer {CODE}'", "bearer-token", CODE),
        ("Authorization: Basic " + b64encode(b"ada:Ab9kk2").decode(), "basic-login", b64encode(b"ada:Ab9kk2").decode()),
        ("curl -s -u ada:Ab9kk2 https://host", "password", "Ab9kk2"),
        ("DB_PASSWORD=Zq9!mmT4v", "password", "Zq9!mmT4v"),
        ("DB_PASSWORD=hunter2", "password", "hunter2"),
        ("password: 'Zq9$mm,T4v'", "password", "Zq9$mm,T4v"),
        ('{\\"password\\": \\"hunter2\\"}', "password", "hunter2"),
        ("mysql --password Zq9!mmT4v -h db", "password", "Zq9!mmT4v"),
        (f"AWS_SECRET_ACCESS_KEY={CODE}/ab+cdE9", "secret", f"{CODE}/ab+cdE9"),
        (f'client_secret = "{CODE}"', "secret", CODE),
        (f'config["api_key"] = "{CODE}"', "secret", CODE),
        (f"apiKey: `{CODE}`", "secret", CODE),
        (f"export MY_TOKEN={CODE}", "secret", CODE),
        (f'API_KEY="{CODE}', "secret", CODE),
    ],
)
def test_a_secret_is_known_by_what_stands_before_it(text: str, kind: str, secret: str) -> None:
    assert secrets(text) == [(kind, secret)]


HEAD, FOOT = "-----BEGIN RSA " + "PRIVATE KEY-----", "-----END RSA " + "PRIVATE KEY-----"
LINES = [drawn(64), drawn(64), drawn(30) + "=="]


@pytest.mark.parametrize(
    "key",
    [
        "\n".join([HEAD, *LINES, FOOT]),
        "\\n".join([HEAD, *LINES, FOOT]),
        "\n".join(f"{n:>6}→{line}" for n, line in enumerate([HEAD, *LINES, FOOT], 1)).strip(" 1→"),
        "\n".join([HEAD, *LINES]),
        "\n".join([HEAD, *LINES[:1]]),
    ],
    ids=["whole", "escaped", "numbered", "cut off", "cut off early"],
)
def test_a_private_key_goes_from_its_beginning_to_its_end(key: str) -> None:
    assert secrets(f"cat id\n{key}\nThen we go on.") == [("private-key", key)]


NO_SECRETS = [
    "commit 3b18e512dba79e4c8300dd08aeb37f8e728b8dad",
    "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    f"session {uuid.UUID(int=DRAW.getrandbits(128))}",
    f'"token": "{uuid.UUID(int=DRAW.getrandbits(128))}"',
    '"id": "toolu_01A09q90qw90lq917835lq9", "tool_use_id": "call_abc123DEF456ghi789JKL012"',
    f"data:image/png;base64,{b64encode(bytes(range(256))).decode()}",
    f'"signature": "{b64encode(DRAW.randbytes(300)).decode()}"',
    f'"encrypted_content": "gAAAA{b64encode(DRAW.randbytes(300)).decode()}"',
    "password = get_password(user)",
    'password = "password"',
    "password: str | None = None",
    "API_KEY=$MY_API_KEY",
    "API_KEY=${OTHER_KEY_123456}",
    "token = tokens[index1]",
    "self.token = self.config.auth_token2",
    'api_key = os.environ["ANTHROPIC_API_KEY"]',
    "max_tokens: 4096, total_tokens=1234567890123456",
    "api_key: your-api-key-here-1234",
    "ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    "sk-ant-...",
    "xoxb-your-slack-token",
    "task-management-with-a-very-long-slug-of-words-in-it",
    "https://user:pass@host:8080/path",
    "https://example.org:8080/@scope/package",
    "ssh://git@github.com:22/org/repo.git",
    'if "-----BEGIN ' + 'PRIVATE KEY-----" in text and "-----END ' + 'PRIVATE KEY-----" in text:',
    "AuthorizationPolicyTests.verify.test_that_a_user_cannot_see_other_users",
    "Basic usage is described below, bearer tokens-are-explained-elsewhere-in-it",
    "KEYBOARD=qwertz1234567890 and Monkey: 12ab34cd56ef",
]


@pytest.mark.parametrize("text", NO_SECRETS)
def test_what_only_looks_like_a_secret_stays(text: str) -> None:
    assert secrets(text) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Write to ada.l+x@mail.example.org, please", [("mail", "ada.l+x@mail.example.org")]),
        ("git clone git@github.com:org/repo", []),
        ("To:\\nada@mail.example.org", [("mail", "ada@mail.example.org")]),
        ("https://me:hunter2@mail.example.org", [("url-password", "hunter2")]),
        ("call +44 20 7946 0958 or (555) 123-4567", [("phone", "+44 20 7946 0958"), ("phone", "(555) 123-4567")]),
        ("1700000000-1234567, 2027-03-01 10:15:02, 127.0.0.1:8080, +1 -2, v1.2.3+20270301", []),
    ],
)
def test_mails_and_phone_numbers_are_found_where_asked_for(text: str, expected: list[tuple[str, str]]) -> None:
    assert secrets(text, mails=True, phones=True) == expected
    assert secrets(text) == [one for one in expected if one[0] not in ("mail", "phone")]


@pytest.mark.parametrize("kind", library.PLUGINS)
@given(data=st.data())
@settings(max_examples=5)
def test_what_a_plug_in_finds_has_one_of_its_marks(kind: str, data: st.DataObject) -> None:
    where, marks = library.PLUGINS[kind]
    for pattern in library.patterns(where):
        found = re.search(pattern, data.draw(st.from_regex(pattern)))
        assert found
        assert any(mark in found[0] for mark in marks)


def test_what_overlaps_is_one_secret() -> None:
    text = "https://x:gh" + f"p_{drawn(36)}@github.com"
    assert [one.kind for one in find(text, ALL)] == ["github-token"]
