"""Findings as SARIF 2.1.0, which code scanning and editors read.

https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from boildown.checking.findings import RULES, Finding, fingerprints
from boildown.checking.limits import relative
from boildown.checking.outcome import Outcome
from boildown.report import tool_version
from boildown_cli.files import STDIN, title
from boildown_cli.terminal import plain

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
ROOT = "SRCROOT"
FINGERPRINT = "boildown/v1"


def log(found: Outcome) -> dict[str, object]:
    """The log of one run."""
    findings = found.findings
    names = list(dict.fromkeys([*RULES, *(one.rule for one in findings)]))
    keys = fingerprints(findings, [relative(one.file, ".") for one in findings])
    remedies = {one.rule: one.help for one in findings}
    run = {
        "tool": {
            "driver": {
                "name": "boildown",
                "semanticVersion": tool_version(),
                "rules": [_rule(name, remedies.get(name, "")) for name in names],
            }
        },
        "invocations": [{"executionSuccessful": not found.unread, "exitCode": found.code}],
        "originalUriBaseIds": {ROOT: {"description": {"text": "The directory in which boildown was run."}}},
        "columnKind": "unicodeCodePoints",
        "results": [_result(one, names.index(one.rule), key) for one, key in zip(findings, keys, strict=True)],
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(name: str, remedy: str) -> dict[str, object]:
    known = RULES.get(name)
    title = known.title if known else f"{RULES['valid'].title}: {name}"
    level = "note" if name.endswith("-file") else "error"
    return {
        "id": name,
        "shortDescription": {"text": f"{title}."},
        "help": {"text": known.remedy if known else remedy},
        "defaultConfiguration": {"level": level},
    }


def _result(one: Finding, rule: int, fingerprint: str) -> dict[str, object]:
    return {
        "ruleId": one.rule,
        "ruleIndex": rule,
        "level": one.severity,
        "message": {"text": plain(f"{one.within}{': ' if one.within else ''}{one.what}")},
        "locations": _locations(one),
        "partialFingerprints": {FINGERPRINT: fingerprint},
    }


def _locations(one: Finding) -> Sequence[dict[str, object]]:
    if one.file == title(STDIN):
        return []
    # Code scanning shows no result without a region; a file that cannot be read has none that is known.
    region = {"startLine": max(one.line, 1)}
    logical = {"logicalLocations": [{"name": one.message, "kind": "member"}]} if one.message else {}
    return [{"physicalLocation": {"artifactLocation": _artifact(one.file), "region": region}, **logical}]


def _artifact(path: str) -> dict[str, object]:
    name = relative(path, ".")
    if name.startswith("../") or os.path.isabs(name):
        return {"uri": Path(os.path.abspath(path)).as_uri()}
    return {"uri": quote(os.fsencode(name)), "uriBaseId": ROOT}
