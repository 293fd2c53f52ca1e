"""The record of a publication: who, where, when, how registered and funded, and the chemicals related to the paper."""

import tomllib
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any, final

__all__ = ["Chemical", "Publication", "publication"]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Chemical:
    """A chemical related to a paper; what is not known is None."""

    name: str
    catalogue_number: str | None = None
    catalogue_name: str | None = None
    sequence: str | None = None
    sequence_source: str | None = None
    cas: str | None = None
    price: str | None = None
    note: str | None = None


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """A publication as its source gives it."""

    title: str
    authors: tuple[str, ...]
    journal: str
    year: int
    source: str
    limits: str
    published: str | None = None
    volume: str | None = None
    issue: str | None = None
    pages: str | None = None
    pmid: str | None = None
    pmcid: str | None = None
    doi: str | None = None
    registrations: tuple[str, ...] = ()
    funding: tuple[str, ...] = ()
    chemicals: tuple[Chemical, ...] = field(default=())


@cache
def _publications() -> dict[str, Publication]:
    text = files(__package__).joinpath("publications.toml").read_text(encoding="utf-8")
    made = {}
    for trial, entry in tomllib.loads(text).items():
        chemicals = tuple(Chemical(**chemical) for chemical in entry.pop("chemicals", ()))
        lists: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in entry.items()
        }
        made[trial] = Publication(**lists, chemicals=chemicals)
    return made


def publication(trial: str) -> Publication | None:
    """The publication of a trial, by the name that the protocol gives under ``published``; None if there is none."""
    return _publications().get(trial)
