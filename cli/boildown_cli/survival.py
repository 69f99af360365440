"""What survived, as tables, charts and JSON."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from boildown_cli.files import STDOUT, write
from boildown_cli.render import json_bytes
from boildown_cli.terminal import add_row, dollars, one_line, say, show, table, tell

if TYPE_CHECKING:
    from boildown.measure.curves import Point
    from boildown.measure.judge import Judgement
    from boildown.measure.retention import Kept, Retention
    from boildown.prices import Price
    from boildown_cli.plots import Chart

HEADS = ("", "original", "compressed", "share")
STRONG = "retention"


def cost(tokens: int, price: Price) -> float:
    """Dollars that a prompt of so many tokens costs."""
    return tokens * price.rates(tokens).input / 1e6


def saved(found: Retention, price: Price) -> float:
    """Dollars that each prompt costs less."""
    return cost(found.tokens_before, price) - cost(found.tokens_after, price)


def counted(found: Retention) -> list[Kept]:
    """The kinds that occur, what later turns used included."""
    return [kept for kept in (*found.facts, *([found.future] if found.future else ())) if kept.total]


def pair_rows(found: Retention, price: Price) -> Iterator[tuple[str, ...]]:
    """A row for each measure of one output, under `HEADS`."""
    share = found.tokens_after / found.tokens_before if found.tokens_before else 1.0
    yield "tokens", f"{found.tokens_before:,}", f"{found.tokens_after:,}", f"{share:.2f}"
    yield STRONG, "", "", f"{found.share:.2f}"
    for kept in counted(found):
        yield kept.name, f"{kept.total:,}", f"{kept.kept:,}", f"{kept.share:.2f}"
    if found.answers:
        yield "answers", f"{found.answers.total:,}", "", f"{found.answers.share:.2f}"
        if found.answers.evidence is not None:
            yield "evidence", "", "", f"{found.answers.evidence:.2f}"
    yield "relevance", "", "", f"{found.relevance:.2f}"
    yield "redundancy", f"{found.redundancy_before:.2f}", f"{found.redundancy:.2f}", ""
    before, after = (dollars(cost(tokens, price)) for tokens in (found.tokens_before, found.tokens_after))
    yield "cost of a prompt", before, after, ""


def curve_rows(points: Sequence[Retention | None], price: Price) -> Iterator[tuple[str, ...]]:
    """A row for each measure of one pipeline's outputs, a column for each of these, `-` where there is none."""
    known = [found for found in points if found]
    if not known:
        return
    first = max(known, key=lambda found: len(counted(found)))

    def row(name: str, cells: Sequence[str]) -> tuple[str, ...]:
        left = iter(cells)
        return name, *(next(left) if found else "-" for found in points)

    yield row(f"tokens ({first.tokens_before:,})", [f"{found.tokens_after:,}" for found in known])
    yield row(STRONG, [f"{found.share:.2f}" for found in known])
    for kept in counted(first):
        shares = [{k.name: f"{k.share:.2f}" for k in counted(found)}.get(kept.name, "-") for found in known]
        yield row(f"{kept.name} ({kept.total:,})", shares)
    if first.answers:
        yield row(f"answers ({first.answers.total:,})", [f"{f.answers.share:.2f}" for f in known if f.answers])
        if first.answers.evidence is not None:
            yield row("evidence", [f"{f.answers.evidence or 0:.2f}" for f in known if f.answers])
    yield row("relevance", [f"{found.relevance:.2f}" for found in known])
    yield row(f"redundancy ({first.redundancy_before:.2f})", [f"{found.redundancy:.2f}" for found in known])
    yield row("saved a prompt", [dollars(saved(found, price)) for found in known])


def account(found: Retention, price: Price) -> dict[str, object]:
    """The figures of one output, for JSON."""
    return {
        "share": found.share,
        "tokens_before": found.tokens_before,
        "tokens_after": found.tokens_after,
        "dollars_before": cost(found.tokens_before, price),
        "dollars_after": cost(found.tokens_after, price),
        "facts": [_kept(kept) for kept in found.facts],
        "future": _kept(found.future) if found.future else None,
        "answers": found.answers,
        "relevance": found.relevance,
        "redundancy_before": found.redundancy_before,
        "redundancy": found.redundancy,
    }


def _kept(kept: Kept) -> dict[str, object]:
    return {"name": kept.name, "total": kept.total, "kept": kept.kept, "share": kept.share}


def print_pair(found: Retention, model: str, price: Price, plot: bool) -> None:
    """The figures of one output as a table, and as bars where they are to be drawn."""
    from boildown_cli.plots import drawn_bars

    _print_table(HEADS, pair_rows(found, price))
    if plot:
        tell("")
        tell(drawn_bars(*_bars(found)))
    _tell_base(found, model)


def print_curves(name: str, points: Sequence[Point], model: str, price: Price, plot: bool) -> None:
    """A table for each pipeline, and a chart of all where they are to be drawn."""
    from boildown_cli.plots import print_chart

    for pipeline, group in groupby(points, key=lambda p: p.pipeline):
        same = list(group)
        if not any(p.retention for p in same):
            continue
        _print_table((pipeline, *(f"{p.ratio:g}x" for p in same)), curve_rows([p.retention for p in same], price))
        tell("")
    if plot and (chart := _chart(name, points)).lines:
        print_chart(chart)
    for p in points:
        if p.failure:
            say(one_line(f"{name}: {p.pipeline} at {p.ratio:g}x: {p.failure}"))
    first = next((p.retention for p in points if p.retention), None)
    if first:
        _tell_base(first, model)


def _print_table(heads: Sequence[str], rows: Iterator[tuple[str, ...]]) -> None:
    made = table([one_line(head) for head in heads])
    for row in rows:
        add_row(made, *row, strong=row[0] == STRONG)
    show(made, sys.stdout)


def _tell_base(found: Retention, model: str) -> None:
    """On what the one number rests, and whose prices count."""
    answers = found.answers
    base = "the answers to the questions" if answers and answers.total else "the facts and statements above"
    say(f"retention: {base}; costs: {model}'s price of input, without its cache")
    if answers and answers.skipped:
        say(f"note: {answers.skipped:,} of the questions have an answer that the original does not state: left out")


def _bars(found: Retention) -> tuple[list[str], list[float]]:
    kinds = counted(found)
    return [STRONG, *(f"{k.name} ({k.total:,})" for k in kinds)], [found.share, *(k.share for k in kinds)]


def _chart(name: str, points: Sequence[Point]) -> Chart:
    from boildown_cli.plots import Chart, Line

    lines = []
    for pipeline, group in groupby(points, key=lambda p: p.pipeline):
        held = [(p.ratio, p.retention.share) for p in group if p.retention]
        if held:
            lines.append(Line(pipeline, *zip(*held, strict=True)))
    return Chart(name, "ratio", STRONG, lines, "x")


def write_pair_svg(path: str, name: str, found: Retention) -> None:
    from boildown_cli.plots import svg_bars

    write([(path, svg_bars(f"What survives in {name}", *_bars(found)))])


def write_curves_svg(path: str, name: str, points: Sequence[Point]) -> None:
    from boildown_cli.plots import svg

    write([(path, svg(_chart(name, points)))])


def print_pair_json(
    names: tuple[str, str],
    found: Sequence[Retention],
    tokenizer: str,
    model: str,
    price: Price,
    judged: Judgement | None,
) -> None:
    from boildown.measure.retention import combined
    from boildown_cli import judging

    head = {"schema": 1, "original": names[0], "compressed": names[1], "tokenizer": tokenizer, "model": model}
    each = [account(one, price) for one in found]
    judge = {"judge": judging.account(judged)} if judged else {}
    value = {**head, "retention": account(combined(found), price), "conversations": each, **judge}
    write([(STDOUT, json_bytes(value))])


def print_curves_json(name: str, points: Sequence[Point], tokenizer: str, model: str, price: Price) -> None:
    head = {"schema": 1, "original": name, "tokenizer": tokenizer, "model": model}
    each = [
        {
            "pipeline": p.pipeline,
            "ratio": p.ratio,
            "failure": p.failure,
            "retention": account(p.retention, price) if p.retention else None,
        }
        for p in points
    ]
    write([(STDOUT, json_bytes({**head, "points": each}))])
