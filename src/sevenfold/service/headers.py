"""What every answer tells the browser: load nothing from elsewhere, keep nothing, be framed by nobody."""

from collections.abc import Awaitable, Callable
from typing import Final

from fastapi import Request, Response

__all__ = ["guarded"]

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


async def guarded(request: Request, answer: Callable[[Request], Awaitable[Response]]) -> Response:
    """Add the headers to an answer. Only what is the same for everybody may be kept by the browser."""
    response = await answer(request)
    for name, value in _ALWAYS.items():
        response.headers.setdefault(name, value)  # the final report lets in its own style and script, by their hashes
    is_ours_for_all = request.url.path.startswith("/static/")
    response.headers["Cache-Control"] = "public, max-age=3600" if is_ours_for_all else "no-store"
    if request.app.state.room.is_behind_tls:
        response.headers["Strict-Transport-Security"] = _A_YEAR
    return response
