"""Progress of a run's stages on the terminal: a bar each; plain lines where the output is no terminal."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import monotonic
from types import TracebackType
from typing import Final, Self, final

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)

__all__ = ["Stages", "Step"]

LATE_S: Final = 2.0
LINES_S: Final = 10.0
WIDTH: Final = 44  # of a bar's name

Step = Callable[[int, int], None]


@final
@dataclass(slots=True)
class Stages:
    """The stages of a run. Use as a context; each stage gives a function that is told how far it has come.

    Args:
        is_quiet: show nothing.
    """

    is_quiet: bool
    _bars: Progress | None = None

    def __enter__(self) -> Self:
        if not self.is_quiet and sys.stderr.isatty():
            self._bars = Progress(
                SpinnerColumn(finished_text="[green]✓[/]"),
                TextColumn(f"{{task.description:<{WIDTH}}}"),
                BarColumn(bar_width=28),
                MofNCompleteColumn(),
                TimeElapsedColumn(),
                console=Console(stderr=True),
            )
            self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        if self._bars is not None:
            self._bars.stop()

    def open(self, name: str, total: int) -> Step:
        """A stage without an end of its own, for work that tells how far it has come in its own time."""
        if self._bars is None:

            def say(done: int, of: int) -> None:
                if not self.is_quiet:
                    print(f"{name}: {done} of {of}", file=sys.stderr, flush=True)

            return say
        bars, task = self._bars, self._bars.add_task(name, total=total)
        return lambda done, of: bars.update(task, completed=done, total=of)

    def late(self, name: str) -> Step:
        """Work within a stage that may take long: shown once it has taken two seconds, and gone when it is done.

        Where the output is no terminal, a line every ten seconds.
        """
        began = last = monotonic()
        task: TaskID | None = None

        def step(done: int, of: int) -> None:
            nonlocal task, last
            now = monotonic()
            if self._bars is None:
                if not self.is_quiet and now - last >= LINES_S:
                    last = now
                    print(f"{name}: {done} of {of}", file=sys.stderr, flush=True)
                return
            if task is None and now - began >= LATE_S and done < of:
                task = self._bars.add_task(f"  {name}"[:WIDTH], total=of)
            if task is not None:
                self._bars.update(task, completed=done, total=of, visible=done < of)

        return step

    @contextmanager
    def stage(self, name: str, total: int) -> Iterator[Step]:
        """One stage; leaving it well fills its bar."""
        if self._bars is None:
            if not self.is_quiet:
                print(f"{name} …", file=sys.stderr, flush=True)
            yield lambda _done, _of: None
            return
        bars, task = self._bars, self._bars.add_task(name, total=total)
        yield lambda done, of: bars.update(task, completed=done, total=of)
        known = next(t for t in bars.tasks if t.id == task).total
        bars.update(task, completed=known)
