"""The mapping: which table and column of somebody's data holds what the protocol talks about.

A column is named by its name, or as ``{column: ARM, values: {Placebo: placebo}}`` where its words are other than ours,
or as ``{column: WTKG, unit: lb}`` where its unit is. What a table holds beyond what is mapped is not read.
"""

from pathlib import Path as FilePath
from typing import Any, Final, Literal, Self

from pydantic import Field, ValidationError, model_validator

from sevenfold.errors import InvalidInput
from sevenfold.protocol.faults import faults_in
from sevenfold.protocol.part import Id, Part, Text, contradiction
from sevenfold.protocol.reading import Document, read_document

__all__ = [
    "FILLED",
    "AboutSubjects",
    "AdverseEvents",
    "Column",
    "Ends",
    "Happenings",
    "InTable",
    "Mapping",
    "Measurements",
    "SubjectTable",
    "load_mapping",
]

Word = str | int | float | bool


class Column(Part):
    """A column, with what its words mean.

    Args:
        values: the file's word -> ours; a word that is not listed is an error that names it.
        unit: in which a number stands.
    """

    column: Text
    values: dict[str, Word] | None = None
    unit: Text | None = None

    @model_validator(mode="before")
    @classmethod
    def _by_its_name(cls, data: Any) -> Any:
        return {"column": data} if isinstance(data, str) else data


FILLED: Final = "not empty"
"""What ``where`` says of a column that must hold something, such as a day of death that the living have not."""


class InTable(Part):
    """Rows of a table.

    Args:
        file: its name, with or without ending, in the folder of the data.
        subject: the column of the subject's name; that of the subjects' table unless said otherwise.
        where: column -> the words that rows must have to be read, or ``not empty``; the others are counted.
    """

    file: Text | None = None
    subject: Text | None = None
    where: dict[str, Word | tuple[Word, ...]] = Field(default_factory=dict)


class AboutSubjects(InTable):
    """Rows about subjects whom the subjects' table names.

    Args:
        others: what is done with rows of those whom it does not name: ``refuse`` them, as a name may be mistyped, or
            ``ignore`` them, counted.
    """

    others: Literal["refuse", "ignore"] = "refuse"


class SubjectTable(InTable):
    """Who was randomised to what: a row a subject.

    Args:
        order: number or date of randomisation, which puts the subjects in order; without it their order is not known.
        first_dose: date of the first dose (or of randomisation), which days of dates count from; day 1 is that day.
        dosed: whether a subject was given anything: yes or no.
        covariates: a category, fact or number of the protocol -> its column.
    """

    subject: Text
    arm: Column
    order: Column | None = None
    first_dose: Column | None = None
    dosed: Column | None = None
    age: Column | None = None
    sex: Column | None = None
    weight: Column | None = None
    country: Column | None = None
    site: Column | None = None
    covariates: dict[Id, Column] = Field(default_factory=dict)


class Measurements(AboutSubjects):
    """Values of one variable: a row a measurement, or a column a visit.

    Args:
        visits: the visit of the protocol -> the column that holds its value (one row a subject); or
        value: the column of the values, with ``visit``.
        visit: the column that names the visit; words listed under ``ignore`` are left out.
        day: study day; or
        date: from which the study day follows.
        unit: of every value; or
        unit_column: where each row says its own.
        keep: of several values of one subject at one visit: refuse them, or keep the first, the last or their mean.
    """

    variable: Id
    visits: dict[Id, Text] | None = None
    value: Text | None = None
    visit: Column | None = None
    ignore: tuple[Word, ...] = ()
    day: Text | None = None
    date: Text | None = None
    unit: Text | None = None
    unit_column: Text | None = None
    keep: Literal["one", "first", "last", "mean"] = "one"

    @model_validator(mode="after")
    def _wide_or_long(self) -> Self:
        if (self.visits is None) == (self.value is None):
            raise contradiction("give 'visits' (a column a visit) or 'value' with 'visit' (a row a measurement)")
        if self.value is not None and self.visit is None:
            raise contradiction("rows of values need 'visit', the column that says which visit they belong to")
        if self.unit is not None and self.unit_column is not None:
            raise contradiction("'unit' and 'unit_column' say the same thing twice; keep one", "unit_column")
        if self.day is not None and self.date is not None:
            raise contradiction("'day' and 'date' say the same thing twice; keep one", "date")
        return self


class Happenings(AboutSubjects):
    """Something that happens once, such as progression: a row a subject followed for it, or a row a subject it befell.

    Args:
        day: study day on which it happened or until which it was looked for; or
        date: from which that follows; or
        elapsed: time since the first dose, with its unit.
        happened: whether it did: yes or no; every row is one where this is left out.
    """

    event: Id
    day: Column | None = None
    date: Column | None = None
    elapsed: Column | None = None
    happened: Column | None = None

    @model_validator(mode="after")
    def _has_a_time(self) -> Self:
        _one_time(self)
        return self


class AdverseEvents(AboutSubjects):
    """Adverse events: a row an event.

    Args:
        grade: 1 to 5; words such as MILD through ``values``.
    """

    term: Column
    system: Column
    grade: Column | None = None
    serious: Column | None = None
    related: Column | None = None
    led_to_stop: Column | None = None
    day: Column | None = None
    date: Column | None = None


class Ends(AboutSubjects):
    """How long a subject was followed and why no longer.

    Args:
        day: study day of the last contact; or
        date: from which that follows; or
        elapsed: time since the first dose, with its unit.
        reason: completed, died, withdrew, lost, adverse event, lack of efficacy, physician's decision, protocol
            deviation, sponsor's decision or other; nothing is known of it where it is left out.
    """

    day: Column | None = None
    date: Column | None = None
    elapsed: Column | None = None
    reason: Column | None = None

    @model_validator(mode="after")
    def _has_a_time(self) -> Self:
        _one_time(self)
        return self


def _one_time(part: Happenings | Ends) -> None:
    given = [name for name in ("day", "date", "elapsed") if getattr(part, name) is not None]
    if len(given) != 1:
        raise contradiction("give one of 'day' (the study day), 'date' or 'elapsed' (time since the first dose)")
    if part.elapsed is not None and part.elapsed.unit is None:
        raise contradiction("say in which unit, such as {column: days, unit: day}", "elapsed")


class Mapping(Part):
    """How a folder of tables, or one table, is read for a protocol.

    Args:
        protocol: the name of the protocol that it is for.
        encoding: of text files.
        missing: what stands for nothing in a cell.
        without: endpoints of the protocol that these data cannot answer; their analyses are left out, and named.
        trouble: what is done with a row that cannot be read as what it should be: ``refuse`` all with a list of them,
            or ``leave out`` those rows, counted and listed in the report.
    """

    format: Literal[1]
    protocol: Id
    encoding: Text = "utf-8"
    missing: tuple[str, ...] = ("NA", ".", "NaN", "NULL", "N/A")
    without: tuple[Id, ...] = ()
    trouble: Literal["refuse", "leave out"] = "refuse"
    subjects: SubjectTable
    measurements: tuple[Measurements, ...] = ()
    events: tuple[Happenings, ...] = ()
    adverse_events: AdverseEvents | None = None
    ends: Ends | None = None


def load_mapping(path: FilePath) -> tuple[Mapping, Document]:
    """A mapping from its file, with the lines on which its parts stand.

    Raises:
        InvalidInput: not readable, or not a mapping; every fault with its line.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InvalidInput(f"{path} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{path} is not UTF-8 text (byte {error.start}); save it as UTF-8.") from None
    document = read_document(text, path.name)
    if not isinstance(document.values, dict):
        raise InvalidInput(f"{path.name}, line 1: a mapping file holds keys with values.")
    try:
        return Mapping.model_validate(document.values), document
    except ValidationError as error:
        raise InvalidInput("\n".join(faults_in(error, document))) from None
