"""What the person in front of the demonstration sees."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


class Show:
    """Numbered stages with their duration, lines within them, and tables; all of it on stdout."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(highlight=False)
        self._stage = 0

    @contextmanager
    def stage(self, title: str) -> Iterator[None]:
        """Announce a stage, and say afterwards how long it took."""
        self._stage += 1
        self._console.print(f"[bold]{self._stage:2}. {title}[/bold]")
        begin = time.monotonic()
        yield
        self._console.print(f"      [dim]{time.monotonic() - begin:.1f} s[/dim]")

    def line(self, text: str) -> None:
        """Print one line of the stage."""
        self._console.print(f"      {text}", markup=False)

    def refused(self, what: str, code: str, by: str) -> None:
        """Print a refusal that was meant to happen."""
        seal = "[green]refused, as it should be:[/green]"
        self._console.print(f"      {seal} {what} -> [bold]{code}[/bold] ({by})")

    def table(self, title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Print a table."""
        table = Table(*columns, title=title, title_justify="left")
        for row in rows:
            table.add_row(*row)
        self._console.print(table)
