"""The published pages of the matrix, made from its data: one a regulation, and one that sums them up."""

from collections.abc import Iterator, Mapping
from typing import Final

from validation.requirements import Number, Regulation, Requirement, Status

__all__ = ["pages"]

_MADE: Final = "% Made from docs/validation/*.toml by `make matrix`; a test fails when the two differ.\n"
_HEAD: Final = """
# Validation matrix

What regulations ask of a program that keeps a trial's data, the code that does it and the tests that show it, paragraph
by paragraph, for `sevenfold serve` and the ledger.

**This is not a certificate.** No program complies by itself: whether a trial does also depends on its users'
procedures, training, contracts, machines and on their own validation of the installation for its purpose. Those
requirements stand here as *user's procedure*, with what the program offers for them. What the program does not do yet
stands as *not met*.

The requirements are in our words and leave out what has nothing to do with a program; before an inspection hold each
against the published text. Where the number of a paragraph was held against a copy or a quotation of the published
text it is *checked*; where it was not it is *recalled*, and may be wrong.

"""
_RUN: Final = """
## How it is made
Each regulation is a file `docs/validation/*.toml` that names code and tests; `make matrix` writes these pages from
them. A test fails if something met names no code or no test, if code or a test that is named isn't there, if a test of
the second set (`tests/requirement`) or of an attack stands in no requirement, or if these pages are not what the data
say. To show what was not met, replace its line `unmet = …` by `shown = { code = […], tests = […] }`.

`make test` runs the tests and leaves `out/validation/matrix.html`: the same matrix with the outcome of every test that
it names, version, commit and date, in one file that needs no network and can be printed. Where
`SEVENFOLD_NEEDS_SERVICES` is set, as in CI, a named test that was left out or did not run makes the run fail.

Names of code are modules of `sevenfold` and what is in them; tests lie below `tests`, and `AUDIT-2` and its like stand
for the tests that are marked with a requirement of `tests/requirement/requirements.md`.

"""


def pages(regulations: tuple[Regulation, ...]) -> Mapping[str, str]:
    """Name of the file -> its text."""
    summary = _MADE + _HEAD + _counted(regulations) + _RUN + _contents(regulations) + _missing(regulations)
    return {"matrix.md": summary} | {f"{one.key}.md": _page(one) for one in regulations}


def _counted(regulations: tuple[Regulation, ...]) -> str:
    lines = ["| | requirements | met | user's procedure | not met | numbers recalled |", "|---|--:|--:|--:|--:|--:|"]
    lines += [
        f"| [{one.title}]({one.key}.md) | {len(one.requirements)} | {one.n(Status.MET)} | {one.n(Status.PROCEDURE)} "
        f"| {one.n(Status.UNMET)} | {sum(asked.number is Number.RECALLED for asked in one.requirements)} |"
        for one in regulations
    ]
    return "\n".join(lines) + "\n"


def _contents(regulations: tuple[Regulation, ...]) -> str:
    names = "\n".join(one.key for one in regulations)
    return f"```{{toctree}}\n:maxdepth: 1\n\n{names}\n```\n\n"


def _missing(regulations: tuple[Regulation, ...]) -> str:
    lines = ["## Not met", "| requirement | what it asks | what is missing |", "|---|---|---|"]
    lines += [
        f"| [{one.id}]({regulation.key}.md) | {_cell(one.asks)} | {_cell(one.unmet)} |"
        for regulation in regulations
        for one in regulation.requirements
        if one.status is Status.UNMET
    ]
    return "\n".join(lines) + "\n"


def _page(regulation: Regulation) -> str:
    counts = ", ".join(f"{regulation.n(status)} {status.value}" for status in Status)
    recalled = sum(one.number is Number.RECALLED for one in regulation.requirements)
    told = (
        f"**{recalled} of {len(regulation.requirements)} numbers are recalled, not held against the published text.** "
        if recalled
        else "Every number was held against the published text. "
    )
    lines = [
        f"# {regulation.title}", "", regulation.about, "", f"{told}{counts}. What the words mean: [matrix](matrix.md).",
        "", ":::{container} matrix", "| paragraph | number | what it asks | status | shown by |",
        "|---|---|---|---|---|",
    ]  # fmt: skip
    return _MADE + "\n" + "\n".join([*lines, *map(_row, regulation.requirements), ":::"]) + "\n"


def _row(one: Requirement) -> str:
    cells = (
        " ".join(part for part in (one.paragraph, f"`{one.id}`") if part),
        one.number.value,
        one.asks,
        one.status.value,
        "<br>".join(_shown(one)),
    )
    return f"| {' | '.join(map(_cell, cells))} |"


def _shown(one: Requirement) -> Iterator[str]:
    if one.unmet:
        yield one.unmet
    if one.procedure:
        yield one.procedure
        yield f"The program offers: {one.offers}"
    if one.shown.code:
        yield "code: " + ", ".join(f"`{name}`" for name in one.shown.code)
    if one.shown.tests:
        yield "tests: " + ", ".join(f"`{name}`" for name in one.shown.tests)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
