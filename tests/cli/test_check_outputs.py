"""What `boildown check` writes for machines: annotations, SARIF, JUnit, JSON; each names every file that was not read.

sarif-2.1.0.json is the standard's schema as Microsoft's sarif-js-sdk (MIT) carries it, without its descriptions.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from xml.etree import ElementTree as Xml

import pytest

from boildown.checking.findings import Finding
from boildown.checking.limits import Limits
from boildown.checking.looking import Looked
from boildown.checking.outcome import Outcome
from boildown_cli import annotations, junit, sarif
from damage import broken, drop
from roundtrip import SAMPLES


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """A session that lost a result, a login, a file that was cut off, and one that is no conversation."""
    (tmp_path / "in, put").mkdir()
    (tmp_path / "in, put" / "session ü%.jsonl").write_bytes(broken("claude-code.jsonl", drop(23)))
    (tmp_path / "in, put" / "login.jsonl").write_bytes((SAMPLES / "openai-login.jsonl").read_bytes())
    (tmp_path / "in, put" / "cut.json").write_text("[{")
    (tmp_path / "in, put" / "package.json").write_text('{"name": "x"}')
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def made(ask, folder):
    """Runs the check with such outputs."""
    return lambda *options: ask("check", "in, put", "--valid", "--fail-on-secret", "--max-tokens", 600, *options)


def valid(value: object) -> None:
    schema = json.loads((Path(__file__).parent / "sarif-2.1.0.json").read_bytes())
    pytest.importorskip("jsonschema").Draft4Validator(schema).validate(value)


def test_annotations_are_lines_that_the_runner_reads(made):
    answer = made("--github")
    assert answer.code == 2
    lines = answer.out.decode().splitlines()
    read = [
        re.fullmatch(r"::(error|notice) file=([^,:]*)(?:,line=(\d+))?,title=([^,:]*)::(.*)", line) for line in lines
    ]
    assert all(read)
    assert [(m[2], m[3], m[4].partition("%3A")[0]) for m in read] == [
        ("in%2C put/cut.json", None, "boildown unreadable"),
        ("in%2C put/login.jsonl", "1", "boildown fail-on-secret"),
        ("in%2C put/login.jsonl", "1", "boildown fail-on-secret"),
        ("in%2C put/login.jsonl", "2", "boildown fail-on-secret"),
        ("in%2C put/session ü%25.jsonl", "4", "boildown max-tokens"),
        ("in%2C put/session ü%25.jsonl", "21", "boildown orphan-call"),
        ("in%2C put/session ü%25.jsonl", "23", "boildown dangling-parent"),
    ]


def test_what_a_file_says_is_no_command():
    (line,) = annotations.commands([Finding("a:b,c\n::stop", "orphan-call", "100 %\r\n::error::x", "y", 3)])
    assert line == (
        "::error file=a%3Ab%2Cc %3A%3Astop,line=3,title=boildown orphan-call%3A The consumer would refuse the "
        "conversation::100 %25 ::error::x (y)"
    )


def test_sarif_is_that_of_the_standard(made, folder):
    answer = made("--sarif", "out.sarif")
    assert answer.code == 2
    log = json.loads((folder / "out.sarif").read_bytes())
    valid(log)
    (run,) = log["runs"]
    assert run["invocations"] == [{"executionSuccessful": False, "exitCode": 2}]
    rules = run["tool"]["driver"]["rules"]
    assert all(rule["help"]["text"] and rule["shortDescription"]["text"] for rule in rules)
    assert all(rules[result["ruleIndex"]]["id"] == result["ruleId"] for result in run["results"])
    places = [result["locations"][0]["physicalLocation"] for result in run["results"]]
    assert [(p["artifactLocation"]["uri"], p["region"]["startLine"]) for p in places[-2:]] == [
        ("in%2C%20put/session%20%C3%BC%25.jsonl", 21),
        ("in%2C%20put/session%20%C3%BC%25.jsonl", 23),
    ]
    assert "Zq9mmT4vXy" not in json.dumps(log)


def test_fingerprints_tell_findings_apart_and_stay_when_lines_move(made, folder):
    def keys() -> list[str]:
        made("--sarif", "out.sarif")
        results = json.loads((folder / "out.sarif").read_bytes())["runs"][0]["results"]
        return [result["partialFingerprints"]["boildown/v1"] for result in results]

    before = keys()
    assert len(set(before)) == len(before)
    session = folder / "in, put" / "session ü%.jsonl"
    session.write_bytes(b"\n\n" + session.read_bytes())
    assert keys() == before


def test_a_clean_run_is_sarif_too(ask, folder):
    answer = ask("check", "in, put/login.jsonl", "--valid", "--sarif", "-")
    assert answer.code == 0
    log = json.loads(answer.out)
    valid(log)
    assert log["runs"][0]["results"] == []


def test_stdin_and_files_elsewhere_have_a_place_in_sarif(tmp_path, monkeypatch):
    (tmp_path / "below").mkdir()
    monkeypatch.chdir(tmp_path / "below")
    found = [Finding("<stdin>", "max-tokens", "x"), Finding("../a b.json", "max-tokens", "x")]
    log = sarif.log(Outcome([], found))
    valid(log)
    results = log["runs"][0]["results"]
    assert results[0]["locations"] == []
    assert results[1]["locations"][0]["physicalLocation"]["artifactLocation"] == {
        "uri": (tmp_path / "a%20b.json").as_uri().replace("%25", "%")
    }


def test_junit_has_a_test_for_each_file_and_check(made, folder):
    assert made("--junit", "out.xml", "--max-total-tokens", 10).code == 2
    suites = Xml.parse(folder / "out.xml").getroot()
    (suite,) = suites
    cases = {(case.get("classname"), case.get("name")): [bad.tag for bad in case] for case in suite}
    session, login = "in, put/session ü%.jsonl", "in, put/login.jsonl"
    assert cases == {
        ("in, put/cut.json", "unreadable"): ["error"],
        ("all files", "max-total-tokens"): ["failure"],
        (login, "max-tokens"): [],
        (login, "fail-on-secret"): ["failure"],
        (login, "valid"): [],
        (session, "max-tokens"): ["failure"],
        (session, "fail-on-secret"): [],
        (session, "valid"): ["failure"],
        ("in, put/package.json", "format"): ["skipped"],
    }
    assert len(cases) == len(suite)
    counts = {"tests": "9", "failures": "4", "errors": "1", "skipped": "1"}
    assert {name: suite.get(name) for name in counts} == {name: suites.get(name) for name in counts} == counts
    (failure,) = suite.find(f"testcase[@classname='{session}'][@name='valid']")
    assert failure.get("type") == "orphan-call"
    assert failure.get("message").endswith("(and 1 more)")
    assert "session ü%.jsonl:23: dangling-parent: " in failure.text


def test_junit_is_xml_whatever_a_file_says(tmp_path):
    bad = Finding("a\x01\ufffe.json", "max-tokens", "<b> & \x00\x1b[31m \ud800 ]]>")
    data = junit.report(Outcome([Looked(bad.file, "openai", Limits(max_tokens=1), 1, 2, "", (bad,))]))
    (failure,) = Xml.fromstring(data).find("testsuite/testcase")
    assert failure.get("message") == "<b> &  \ufffd ]]>"


def test_json_has_every_file_and_finding(made, folder):
    answer = made("--json", "-", "--junit", "out.xml")
    value = json.loads(answer.out)
    assert (value["schema"], value["exit_code"], answer.code) == (1, 2, 2)
    assert [(one["file"], one["limits"]) for one in value["files"]] == [
        (f"in, put/{name}.jsonl", {"max-tokens": 600, "fail-on-secret": True, "valid": True})
        for name in ("login", "session ü%")
    ]
    assert [(one["file"], one["rule"], one["line"]) for one in value["findings"]][:2] == [
        ("in, put/cut.json", "unreadable", 0),
        ("in, put/login.jsonl", "fail-on-secret", 1),
    ]
    assert all(one["remedy"] for one in value["findings"])
    assert value["skipped"] == ["in, put/package.json"]
    assert value["tokens"] == sum(one["tokens"] for one in value["files"])


def test_growth_is_in_every_output(ask, folder):
    target = ("check", "in, put/login.jsonl", "--baseline", "b.json")
    ask(*target, "--update-baseline")
    (folder / "b.json").write_bytes(re.sub(rb"(login.jsonl\": )\d+", rb"\g<1>10", (folder / "b.json").read_bytes()))
    assert ask(*target, "--sarif", "o.sarif", "--junit", "o.xml", "--json", "o.json").code == 1
    assert Xml.parse(folder / "o.xml").find("testsuite/testcase[@name='max-growth']/failure") is not None
    for name in ("o.sarif", "o.json"):
        assert "more than the 10 of the baseline" in (folder / name).read_text()
