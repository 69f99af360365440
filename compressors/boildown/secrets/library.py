"""detect-secrets' plug-ins, chosen one by one: those whose finds are tokens and no guesses.

Left out are its guesses by entropy and by keyword, plug-ins that take up hashes, addresses or test names, and those
that find the place of a secret and not the secret: `named`, `keys` and `tokens` have rules for these.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from importlib import import_module

from boildown.secrets.rules import Rule, Span, token

GITLAB = ("pat", "dt", "ft", "soat", "rt", "cbt", "imt", "ptt", "agent", "oas")
PLUGINS: dict[str, tuple[str, tuple[str, ...]]] = {
    "azure-storage-key": ("azure_storage_key:AzureStorageKeyDetector", ("AccountKey=",)),
    "github-token": ("github_token:GitHubTokenDetector", ("ghp_", "gho_", "ghu_", "ghs_", "ghr_")),
    "gitlab-token": ("gitlab_token:GitLabTokenDetector", (*(f"gl{a}-" for a in GITLAB), "GR1348941")),
    "openai-key": ("openai:OpenAIDetector", ("T3BlbkFJ",)),
    "pypi-token": ("pypi_token:PypiTokenDetector", ("pypi-",)),
    "sendgrid-key": ("sendgrid:SendGridDetector", ("SG.",)),
    "square-secret": ("square_oauth:SquareOAuthDetector", ("sq0csp-",)),
    "stripe-key": ("stripe:StripeDetector", ("k_live_",)),
    "twilio-key": ("twilio:TwilioKeyDetector", ("AC", "SK")),
}
"""kind: (module:class of the plug-in, marks)"""
SHORT = {"azure-storage-key"}
"""Kinds whose marks stand before a token and not in it"""


def rules() -> Iterator[Rule]:
    """A rule for each plug-in, which is loaded when a text has one of its marks: loading all takes half a second."""
    for kind, (where, marks) in PLUGINS.items():
        yield _lazy(kind, where, marks)


def _lazy(kind: str, where: str, marks: tuple[str, ...]) -> Rule:
    def spans(text: str) -> Iterator[Span]:
        yield from token(kind, marks, *patterns(where)).spans(text)

    return Rule(kind, marks, spans, in_run=kind not in SHORT)


@cache
def patterns(where: str) -> tuple[re.Pattern[str], ...]:
    """What a plug-in looks for."""
    module, _, name = where.partition(":")
    return tuple(getattr(import_module(f"detect_secrets.plugins.{module}"), name).denylist)
