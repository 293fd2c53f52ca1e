"""An unblinded trial brought to its end: analysed as planned, held against what was published, put on a page.

It is the same for a rehearsal that a command runs and for a trial that was run through the pages.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, final

from sevenfold.analysis.trial.analyse import analyse
from sevenfold.analysis.trial.imputed import Within, unwatched
from sevenfold.analysis.trial.measures import measures
from sevenfold.calibrate.predict import ProtocolPrediction, predict_protocol
from sevenfold.calibrate.shipped import about_shipped, shipped_posterior
from sevenfold.cohort.from_record import from_record
from sevenfold.edge.plain import plain
from sevenfold.edge.writing import write_json, write_text
from sevenfold.evidence.compare import Comparison, compare
from sevenfold.protocol.load import ProtocolFile
from sevenfold.provenance import Sourced
from sevenfold.record.head import Head
from sevenfold.record.history import History
from sevenfold.report.blinding import blinding_of
from sevenfold.report.page import ReportInput, render
from sevenfold.report.prediction import PredictionInput

__all__ = ["Telling", "Told", "Untold", "conclude"]

Step = Callable[[int, int], None]


class Telling(Protocol):
    """Whoever is told how far the work has come."""

    def stage(self, name: str, total: int) -> AbstractContextManager[Step]:
        """One stage of it."""
        ...

    @property
    def late(self) -> Within:
        """What opens what is told of work that may take long."""
        ...


@final
class Untold:
    """Nobody is told."""

    @contextmanager
    def stage(self, _name: str, _total: int) -> Iterator[Step]:
        """One stage, in silence."""
        yield _silent

    @property
    def late(self) -> Within:
        """Nothing is told of long work either."""
        return unwatched


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What the report tells of how the trial came about.

    Args:
        seed: of the analysis's resamples; in a rehearsal, of everything.
        assumptions: of the virtual ICU; none where patients took part.
        changed: names of those that were set for this run.
        drawn: what the virtual patients' population was drawn from, in words; None where it was not.
        parameters: the word for ``--parameters``.
    """

    seed: int
    assumptions: tuple[Sourced, ...] = ()
    changed: tuple[str, ...] = ()
    drawn: str | None = None
    parameters: str = "typical"


def conclude(
    file: ProtocolFile,
    history: History,
    head: Head,
    told: Told,
    folder: Path,
    telling: Telling,
    pause: Step,
) -> None:
    """Write ``estimates.json`` and ``report.html`` of an unblinded trial into a folder.

    Args:
        pause: called between two steps; may stop the work.
    """
    protocol = file.protocol
    cohort = from_record(history, protocol)
    with telling.stage("Analysing as the protocol plans", len(protocol.analyses)) as step:

        def analysed(done: int, of: int) -> None:
            step(done, of)
            pause(done, of)

        estimates = analyse(cohort, history, protocol, told.seed, analysed, telling.late)
    is_rehearsed = history.opened is None or history.opened.is_rehearsal
    found: dict[str, object] = {"estimates": plain(estimates)}
    comparisons: tuple[Comparison, ...] = ()
    predictions: PredictionInput | None = None
    if is_rehearsed:  # what the model says belongs beside virtual patients alone
        if protocol.published:
            comparisons = compare(protocol.published, measures(estimates, cohort, protocol))
        with telling.stage("Predicting with parameter uncertainty", 2) as step:
            held_out, everything = _predicted(file, step)
        predictions = PredictionInput(held_out=held_out, everything=everything, about=about_shipped(), drawn=told.drawn)
        found["published against simulated"] = plain(comparisons)
        found["predicted with parameter uncertainty"] = plain((held_out, everything))
    blinding = blinding_of(history, protocol)
    if blinding is not None:
        found["blinding"] = plain(blinding)
    write_json(folder / "estimates.json", found)
    with telling.stage("Writing the report", 1):
        given = ReportInput(
            file=file,
            history=history,
            cohort=cohort,
            estimates=estimates,
            comparisons=comparisons,
            assumptions=told.assumptions,
            seed=told.seed,
            head=head,
            changed=told.changed,
            predictions=predictions,
            parameters=told.parameters,
        )
        write_text(folder / "report.html", render(given))


def _predicted(file: ProtocolFile, step: Step) -> tuple[ProtocolPrediction, ProtocolPrediction]:
    """The protocol under posterior A and under B."""
    held_out = predict_protocol(file.protocol, shipped_posterior("held out"), threads=2)
    step(1, 2)
    return held_out, predict_protocol(file.protocol, shipped_posterior("all"), threads=2)


def _silent(_done: int, _of: int) -> None:
    """Nobody is told."""
