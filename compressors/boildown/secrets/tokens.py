"""Tokens that detect-secrets does not know, or not in their present form: each by how its service lets them begin."""

from __future__ import annotations

import re
from collections.abc import Iterator

from boildown.secrets.rules import Rule, token

SLACK = r"[.-](?=[\w.-]{0,24}\d)[\w.-]{15,}"
BEGINNINGS: dict[str, tuple[tuple[str, str], ...]] = {
    "anthropic-key": (("sk-ant-", r"[\w-]{20,}"),),
    "openai-key": tuple((f"sk-{kind}-", r"[\w-]{20,}") for kind in ("proj", "svcacct", "admin")),
    "openrouter-key": (("sk-or-v1-", r"[0-9a-f]{32,}"),),
    "api-key": (("sk-", r"[A-Za-z0-9]{32,}"),),
    "google-key": (("AIza", r"[\w-]{35}"), ("GOCSPX-", r"[\w-]{24,}"), ("ya29.", r"[\w-]{20,}")),
    "aws-key": tuple((kind, "[A-Z2-7]{16}") for kind in ("AKIA", "ASIA", "ABIA", "ACCA")),
    "github-token": (("github_pat_", r"\w{30,}"),),
    "gitlab-token": (("glpat-", r"[\w-]{20,64}\.\d\d\.\w{9}"),),
    "huggingface-token": (("hf_", "[A-Za-z0-9]{30,}"),),
    "slack-token": (("xapp-", r"[\w-]{20,}"), *((f"xox{kind}", SLACK) for kind in "abceoprs")),
    "npm-token": (("npm_", "[A-Za-z0-9]{36}"),),
    "stripe-key": (*((f"{a}k_{b}_", r"\w{16,}") for a in "sr" for b in ("live", "test")), ("whsec_", r"[\w+/]{24,}=*")),
    "square-secret": (("sq0atp-", r"[\w-]{22,}"), ("EAAAE", r"[\w-]{55,}")),
    "vault-token": (("hvs.", r"[\w-]{24,}"), ("hvb.", r"[\w-]{24,}")),
    "age-key": (("AGE-SECRET-KEY-1", "[0-9A-Z]{58}"),),
    "digitalocean-token": tuple((f"do{kind}_v1_", "[0-9a-f]{64}") for kind in "opr"),
    "shopify-token": tuple((f"shp{kind}_", "[0-9A-Fa-f]{32}") for kind in ("at", "ca", "pa", "ss")),
    "docker-token": (("dckr_pat_", r"[\w-]{20,}"), ("dckr_oat_", r"[\w-]{20,}")),
    "databricks-token": (("dapi", "[0-9a-f]{32}"),),
    "groq-key": (("gsk_", "[A-Za-z0-9]{40,}"),),
    "xai-key": (("xai-", "[A-Za-z0-9]{60,}"),),
    "perplexity-key": (("pplx-", "[A-Za-z0-9]{40,}"),),
    "replicate-token": (("r8_", "[A-Za-z0-9]{36,}"),),
    "langsmith-key": (("lsv2_", r"(?:pt|sk)_[0-9a-f]{32}_\w+"),),
    "linear-key": (("lin_api_", "[A-Za-z0-9]{32,}"),),
    "notion-token": (("ntn_", "[A-Za-z0-9]{40,}"),),
    "postman-key": (("PMAK-", r"[0-9a-f]{24}-[0-9a-f]{34}"),),
    "grafana-token": (("glsa_", r"\w{32,}"), ("glc_", r"[\w+/]{32,}=*")),
    "sentry-token": (("sntrys_", r"[\w+/=]{40,}"), ("sntryu_", "[0-9a-f]{64}")),
    "supabase-key": (("sbp_", "[0-9a-f]{40}"), ("sb_secret_", r"[\w-]{20,}")),
    "tailscale-key": (("tskey-", r"[\w-]{20,}"),),
    "atlassian-token": (("ATATT3", r"[\w=-]{50,}"),),
    "rubygems-key": (("rubygems_", "[0-9a-f]{48}"),),
    "jwt": (("eyJ", r"[\w-]{8,1024}\.eyJ[\w-]{8,16384}\.[\w-]{16,}"),),
}
"""kind: how its tokens begin, and a pattern of what follows"""

_THREE_DIGITS = "[MNO][DTjz][AEIMQUYcgk][w-z0-5]"
DISCORD = re.compile(rf"{_THREE_DIGITS}(?:{_THREE_DIGITS}){{4,5}}[\w-]{{0,3}}\.[\w-]{{6}}\.[\w-]{{27,}}", re.ASCII)
"""A bot's token: the base64 of its number, a time, and a code"""


OTHERS = {
    "slack-webhook": ("hooks.slack.com", r"hooks\.slack\.com/(?:services|workflows|triggers)/[\w/]{20,}"),
    "telegram-token": (":AA", r"\d{8,10}:AA[\w-]{33}"),
}
"""kind: (a mark, a pattern), where the mark does not begin a word"""


def rules() -> Iterator[Rule]:
    for kind, ways in BEGINNINGS.items():
        for mark, rest in ways:
            yield token(kind, (mark,), re.compile(re.escape(mark) + rest, re.ASCII))
    for kind, (mark, pattern) in OTHERS.items():
        yield token(kind, (mark,), re.compile(pattern, re.ASCII), in_run=False)
    yield token("discord-token", ("MT", "Mj", "Mz", "ND", "NT", "Nj", "Nz", "OD", "OT"), DISCORD)
