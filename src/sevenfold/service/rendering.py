"""Pages: a template and what it shows, in the reader's language."""

from datetime import UTC, datetime
from functools import cache
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined, pass_context
from jinja2.runtime import Context

from sevenfold import __version__
from sevenfold.service.gate import Seat, room_of
from sevenfold.service.language import LANGUAGES, language_of, moment, translator
from sevenfold.service.refusals import refusal
from sevenfold.service.role import Right

__all__ = ["environment", "page"]


@cache
def environment() -> Environment:
    """Templates, with the filters that they use."""
    environment = Environment(
        loader=PackageLoader("sevenfold.service", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["minutes"] = _minutes
    environment.filters["refusal"] = refusal
    environment.filters["utc"] = lambda at: at.astimezone(UTC).strftime("%Y-%m-%d %H:%M")
    return environment


def page(request: Request, template: str, seat: Seat | None = None, status: int = 200, **shown: Any) -> HTMLResponse:
    """A page.

    Args:
        seat: None on the pages of whoever is not in yet.
        shown: what the template reads beside the trial and the person.
    """
    room = room_of(request)
    language = language_of(request)
    text = (
        environment()
        .get_template(f"{template}.html.j2")
        .render(
            room=room,
            protocol=room.protocol,
            person=seat.person if seat else None,
            form_key=seat.session.form_key if seat else "",
            Right=Right,
            version=__version__,
            _=translator(language),
            language=language,
            languages=LANGUAGES,
            path=request.url.path,
            **shown,
        )
    )
    return HTMLResponse(text, status_code=status)


@pass_context
def _minutes(context: Context, at: datetime | str) -> str:
    """A moment as the reader's language writes it; as text it is as the record tells it."""
    return moment(datetime.fromisoformat(at) if isinstance(at, str) else at, context["language"])
