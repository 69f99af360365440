"""Logs: what is folded, with which count and times, and what stays whole."""

from __future__ import annotations

import pytest

from boildown.output import logs
from boildown.output.templates import templates

BEATS = [f"10:00:{n:02} INFO worker-{n % 3} job {n} done in {n * 7}ms" for n in range(20)]
LEFT = {
    "entries of one template": (BEATS, [f"{BEATS[0]} [and 19 like this, 10:00:01 to 10:00:19]"]),
    "an error stays whole, with its lines, where it stood": (
        [*BEATS[:9], "10:00:09 ERROR no lease", "Traceback (most recent call last):", "  KeyError: 'x'", *BEATS[9:]],
        [
            f"{BEATS[0]} [and 19 like this, 10:00:01 to 10:00:19]",
            "10:00:09 ERROR no lease",
            "Traceback (most recent call last):",
            "  KeyError: 'x'",
        ],
    ),
    "a line that repeats, with its last time": (
        [f"2027-01-02 10:00:0{n} INFO waiting for the lock" for n in range(6)],
        ["2027-01-02 10:00:00 INFO waiting for the lock [x 6, to 10:00:05]"],
    ),
    "of many errors of one kind the first three and the last": (
        [f"10:00:0{n} ERROR row {n} is bad" for n in range(9)],
        [
            "10:00:00 ERROR row 0 is bad",
            "10:00:01 ERROR row 1 is bad",
            "10:00:02 ERROR row 2 is bad [and 5 like this, 10:00:03 to 10:00:07]",
            "10:00:08 ERROR row 8 is bad",
        ],
    ),
    "two of a kind are not folded": (BEATS[:2] * 1 + ["10:01:00 INFO bye"] * 1, [*BEATS[:2], "10:01:00 INFO bye"]),
}


@pytest.mark.parametrize(("rows", "expected"), LEFT.values(), ids=LEFT)
def test_entries_like_others_are_counted(rows: list[str], expected: list[str]) -> None:
    assert logs.lossy("\n".join(rows)).split("\n") == expected


KINDS = {
    "times": ("\n".join(BEATS), True),
    "dates": ("2027-01-02T10:00:01Z start\n" * 5, True),
    "syslog": ("Jan  2 10:00:01 host sshd[12]: accepted\n" * 5, True),
    "an access log": ('10.0.0.1 - - [02/Jan/2027:10:00:01 +0000] "GET / HTTP/1.1" 200 12\n' * 5, True),
    "levels": ("[INFO] one\n[WARN] two\n[INFO] three\n[INFO] four\n[ERROR] five", True),
    "traces between entries": (
        "\n".join([*BEATS[:6], "  at a", "  at b", "  at c", "  at d", "  at e", "  at f"]),
        True,
    ),
    "commits with their dates": ("2027-01-02 10:00:01 +0100 c5637f1 Fix it\n" * 5, False),
    "a table of trains": ("Ghent 10:02\nLyon 11:40\nTurin 12:30\nMilan 13:10\nRome 14:55", False),
    "prose": ("We met at ten.\nNobody came.\nInfo was scarce.\nThen we left.\nIt rained.", False),
}


@pytest.mark.parametrize(("text", "is_log"), KINDS.values(), ids=KINDS)
def test_a_log_is_told_by_its_stamps(text: str, is_log: bool) -> None:
    assert logs.sniff(text) is is_log


def test_without_loss_only_equal_lines_are_folded() -> None:
    assert (
        logs.lossless("10:00:01 INFO a  \n10:00:01 INFO a\n10:00:02 INFO a") == "10:00:01 INFO a [x 2]\n10:00:02 INFO a"
    )


def test_every_line_has_one_template_and_templates_come_in_order() -> None:
    found = templates(["open file a", "user=7 in", "open file b", "user=8 in", "open file c", "", "shut all of it"])
    assert [(" ".join(t.words), t.lines) for t in found] == [
        ("open file *", [0, 2, 4]),
        ("user=* in", [1, 3]),
        ("", [5]),
        ("shut all of it", [6]),
    ]
