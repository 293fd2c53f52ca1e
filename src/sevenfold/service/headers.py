"""What every answer tells the browser: load nothing from elsewhere, keep nothing, be framed by nobody. And how much may
be sent to us at once.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, TypeVar, final

from fastapi import Request, Response
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["MOST_BYTES", "Bounded", "guarded", "with_headers"]

MOST_BYTES: Final = 4 * 2**20
"""Of what is sent with a request, at most."""
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_ALWAYS: Final = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
_A_YEAR: Final = "max-age=31536000"
_Answer = TypeVar("_Answer", bound=Response)


async def guarded(request: Request, answer: Callable[[Request], Awaitable[Response]]) -> Response:
    """Answer a request, with the headers."""
    return with_headers(request, await answer(request))


def with_headers(request: Request, response: _Answer) -> _Answer:
    """Add the headers to an answer. Only what is the same for everybody may be kept by the browser."""
    for name, value in _ALWAYS.items():
        response.headers.setdefault(name, value)  # the final report lets in its own style and script, by their hashes
    is_ours_for_all = request.url.path.startswith("/static/") and response.status_code in (200, 304)
    response.headers["Cache-Control"] = "public, max-age=3600" if is_ours_for_all else "no-store"
    if request.app.state.room.is_behind_tls:
        response.headers["Strict-Transport-Security"] = _A_YEAR
    return response


@final
@dataclass(frozen=True, slots=True)
class Bounded:
    """Whatever answers requests, which is sent no more than it can hold: 413 beyond, said or unsaid how much."""

    app: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, counting."""
        said = next((value for name, value in scope.get("headers", ()) if name == b"content-length"), b"0")
        n_bytes = 0

        async def counted() -> Message:
            nonlocal n_bytes
            message = await receive()
            n_bytes += len(message.get("body", b""))
            if n_bytes > MOST_BYTES or (said.isdigit() and int(said[:20]) > MOST_BYTES):
                raise HTTPException(413)
            return message

        await self.app(scope, counted, send)
