"""Stages on a terminal: a bar each, with the time left, below the lines that stay."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from compresskit.display import Counter, Pace

_A_SECOND = 2  # redrawn so often: a measurement of latency may be under way
_TOLD_FROM = 1.0  # seconds that a stage took: that of a shorter one is no news
_NAME, _COUNT, _LEFT = 32, 18, 12  # characters; the bar has what is left of a line


class Bars:
    """A `Display`: the stages under way stand at the foot of `console`, one below the other.

    A stage of a second or more leaves one line with the time it took, one that has failed none.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._rows: list[_Row] = []
        self._live = Live(
            console=console,
            get_renderable=self._render,
            refresh_per_second=_A_SECOND,
            transient=True,
            redirect_stdout=False,  # results go there
        )

    def __call__(self, message: str, /) -> None:
        self._console.print(Text(message))

    @contextmanager
    def stage(self, name: str, total: float | None = None, unit: str = "") -> Iterator[Counter]:
        row = _Row(name, total, unit)
        self._rows.append(row)
        if len(self._rows) == 1:
            self._live.start()
        try:
            yield row
            if row.pace.seconds >= _TOLD_FROM:
                self._console.print(row.ended())
        finally:
            self._rows.remove(row)
            if not self._rows:
                self._live.stop()

    def _render(self) -> RenderableType:
        width = self._console.width - 1  # a full line would wrap in some terminals
        return Group(*(part for row in list(self._rows) for part in row.parts(width)))


class _Row:
    def __init__(self, name: str, total: float | None, unit: str) -> None:
        self.name = name
        self.unit = unit
        self.text = ""
        self.pace = Pace(total)

    def advance(self, count: float = 1.0) -> None:
        self.pace.advance(count)

    def expect(self, total: float | None = None, seconds_left: float | None = None) -> None:
        self.pace.expect(total, seconds_left)

    def describe(self, text: str, line: str | None = None) -> None:
        self.text = text

    def parts(self, width: int) -> Iterator[RenderableType]:
        """The bar in `width` characters, and what is said of the stage below it."""
        pace, left = self.pace, self.pace.seconds_left
        table = Table.grid(padding=(0, 1, 0, 0))
        rest = width - _COUNT - _LEFT - 3
        name = min(_NAME, rest - 6)
        bar = rest - name
        for size in (name, bar):
            table.add_column(width=size, no_wrap=True)
        for size in (_COUNT, _LEFT):
            table.add_column(width=size, no_wrap=True, justify="right")
        count = "" if pace.total is None else f"{_number(pace.done)}/{_number(pace.total)} {self.unit}"
        if pace.total is not None:
            shown = ProgressBar(total=1.0, completed=pace.share, width=bar)
        elif left is not None:
            shown = ProgressBar(total=1.0, completed=pace.seconds / (pace.seconds + left), width=bar)
        else:
            shown = ProgressBar(total=None, pulse=True, width=bar)
        time = clock_time(pace.seconds) if left is None else f"{clock_time(left)} left"
        table.add_row(Text(self.name), shown, Text(count), Text(time))
        yield table
        if self.text:
            yield Text(f"  {self.text}"[:width], style="dim", no_wrap=True, overflow="ellipsis")

    def ended(self) -> Text:
        count = "" if self.pace.total is None else f": {_number(self.pace.done)} {self.unit}"
        return Text(f"{self.name}{count} in {clock_time(self.pace.seconds)}", style="dim")


def clock_time(seconds: float) -> str:
    """As 0:07 or 1:02:03."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _number(value: float) -> str:
    return f"{int(value):,}"
