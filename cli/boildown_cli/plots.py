"""Charts of shares: lines in the terminal by uniplot, lines and bars as SVG by matplotlib, both in boildown[plot]."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TextIO

from boildown.errors import UsageError
from boildown_cli.terminal import console, one_line, print_lines

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDTH, HEIGHT = 64, 16
MARKS = ["o", "x", "+", "*", "#", "@", "%", "="]
"""What lines are drawn with where there are no colours"""


@dataclass(frozen=True, slots=True)
class Line:
    """Points of one series, by ascending x. A y is a share, 0 to 1."""

    name: str
    xs: Sequence[float]
    ys: Sequence[float]


@dataclass(frozen=True, slots=True)
class Chart:
    """Lines over one axis. `unit` follows the numbers of the x axis."""

    title: str
    x: str
    y: str
    lines: Sequence[Line]
    unit: str = ""


def check(svg: str | None) -> None:
    """Raise UsageError where charts cannot be drawn: the extra is not there, or the file is to be no SVG."""
    from importlib.util import find_spec

    if svg is not None and not svg.lower().endswith(".svg"):
        raise UsageError(f"--svg {svg}: the chart is written as SVG. Let the name end in .svg.")
    if find_spec("uniplot") is None or find_spec("matplotlib") is None:
        raise UsageError("charts need uniplot and matplotlib. Install them with: pip install 'boildown[plot]'.")


def drawn(chart: Chart, colours: bool) -> str:
    """The chart as lines of text; without colours each series has a character of its own."""
    from uniplot import plot_to_string

    plain = {"character_set": "ascii", "force_ascii_characters": MARKS}
    text: str = plot_to_string(
        xs=[line.xs for line in chart.lines],
        ys=[[100 * y for y in line.ys] for line in chart.lines],
        lines=True,
        legend_labels=[one_line(line.name, WIDTH - 8) for line in chart.lines],
        title=one_line(f"{chart.title}: {chart.y} by {chart.x}", WIDTH),
        width=WIDTH,
        height=HEIGHT,
        y_min=0,
        y_max=100,
        y_unit=" %",
        x_unit=chart.unit,
        color=colours,
        **({} if colours else plain),
    )
    return "\n".join(line.rstrip() for line in text.splitlines())


def print_chart(chart: Chart, stream: TextIO | None = None) -> None:
    """Draw the chart on stdout or another stream, in colours where that shows them."""
    from rich.text import Text

    screen = console(stream or sys.stdout)
    print_lines(screen, Text.from_ansi(drawn(chart, screen.color_system is not None)), stream or sys.stdout)


def drawn_bars(names: Sequence[str], shares: Sequence[float]) -> str:
    """Bars as lines of text, a bar a line."""
    room = max(map(len, names), default=0)
    width = max(WIDTH - room - 7, 10)
    return "\n".join(
        f"{name:<{room}} {'█' * round(width * share):<{width}} {share:.2f}"
        for name, share in zip(names, shares, strict=True)
    )


def svg(chart: Chart) -> bytes:
    """The chart as SVG, the same bytes for the same chart."""

    def draw(axes: Axes) -> None:
        for line in chart.lines:
            axes.plot(line.xs, line.ys, marker="o", label=one_line(line.name, 60))
        axes.set(xlabel=chart.x, ylabel=chart.y, ylim=(0, 1.02), title=one_line(chart.title, 80))
        axes.xaxis.set_major_formatter(lambda x, _: f"{x:g}{chart.unit}")
        axes.grid(alpha=0.3)
        if chart.lines:
            axes.legend()

    return _svg(draw, 4.5)


def svg_bars(title: str, names: Sequence[str], shares: Sequence[float]) -> bytes:
    """Bars as SVG, the first on top."""

    def draw(axes: Axes) -> None:
        bars = axes.barh(range(len(names)), shares)
        axes.bar_label(bars, [f"{share:.2f}" for share in shares], padding=3)
        axes.set_yticks(range(len(names)), [one_line(name, 60) for name in names])
        axes.set(xlim=(0, 1.1), title=one_line(title, 80))
        axes.invert_yaxis()

    return _svg(draw, 1.2 + 0.32 * len(names))


def _svg(draw: Callable[[Axes], None], height: float) -> bytes:
    """What `draw` puts on a pair of axes. No date, no random ids, text as text, and nothing in it is a formula."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with (
        rc_context({"svg.hashsalt": "boildown", "svg.fonttype": "none", "text.parse_math": False}),
        io.BytesIO() as file,
    ):
        figure = Figure(figsize=(7.5, height), layout="constrained")
        draw(figure.add_subplot())
        figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None})
        return file.getvalue()
