"""Findings as a JUnit report: a test for each file and each check, as GitLab, Jenkins and others read it.

They know a test by `classname` and `name`, so that each pair stands there once, and take one failure of each.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from xml.etree import ElementTree as Xml

from boildown.checking.findings import UNREADABLE, Finding
from boildown.checking.limits import relative
from boildown.checking.outcome import Outcome
from boildown_cli.files import STDIN, title
from boildown_cli.terminal import plain

TOTAL = "max-total-tokens"
_UNSAYABLE = re.compile("[\ufffe\uffff]")
"""What is no character of XML 1.0, besides those that `plain` takes out"""


def report(found: Outcome) -> bytes:
    """The report. Files that were passed over are skipped tests; what people should only know is not in it."""
    suite = Xml.Element("testsuite", name="boildown check")
    suite.extend(_cases(found))
    counts = {"tests": len(suite)}
    for name, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        counts[name] = len(suite.findall(f"testcase/{tag}"))
    for name, count in counts.items():
        suite.set(name, str(count))
    suites = Xml.Element("testsuites", {**suite.attrib, "name": "boildown"})
    suites.append(suite)
    Xml.indent(suites)
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + Xml.tostring(suites, "unicode").encode() + b"\n"


def _cases(found: Outcome) -> Iterator[Xml.Element]:
    errors = [one for one in found.findings if one.severity == "error"]
    for one in found.unread:
        yield _case(one.file, UNREADABLE, "error", [one])
    if any(looked.limits.max_total_tokens for looked in found.looked):
        yield _case("all files", TOTAL, "failure", [one for one in errors if one.rule == TOTAL])
    for looked in found.looked:
        ours = [one for one in errors if one.file == looked.file and one.rule != TOTAL]
        for check in looked.limits.asked:
            if check != TOTAL:
                yield _case(looked.file, check, "failure", [one for one in ours if one.check == check])
    for name in found.skipped:
        case = _case(name, "format", "failure", [])
        Xml.SubElement(case, "skipped", message="it is no conversation")
        yield case


def _case(file: str, check: str, tag: str, findings: Sequence[Finding]) -> Xml.Element:
    name = file if file == title(STDIN) else relative(file, ".")
    case = Xml.Element("testcase", classname=_said(name), name=check, file=_said(name))
    if findings:
        message = findings[0].what + (f" (and {len(findings) - 1:,} more)" if findings[1:] else "")
        bad = Xml.SubElement(case, tag, message=_said(message), type=findings[0].rule)
        bad.text = _said("\n".join(_lines(findings)))
    return case


def _lines(findings: Iterable[Finding]) -> Iterator[str]:
    for one in findings:
        place = f"{one.file}:{one.line}" if one.line else one.file
        yield f"{place}: {one.rule}: {one.said}"


def _said(text: str) -> str:
    return _UNSAYABLE.sub("\ufffd", plain(text))
