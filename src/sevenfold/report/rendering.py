"""How a page is made of a template: escaped, self-contained, letting in no style or script but its own."""

import base64
import hashlib
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from sevenfold import __version__
from sevenfold.report import words

__all__ = ["rendered"]


def rendered(template: str, context: dict[str, Any]) -> str:
    """A page as HTML."""
    environment = Environment(
        loader=PackageLoader("sevenfold.report"),
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "number": words.number,
        "percent": words.percent,
        "p": words.p_value,
        "method": lambda name: words.METHODS.get(name, name),
        "interval": words.interval,
    }
    style = environment.loader.get_source(environment, "style.css")[0] if environment.loader else ""
    script = environment.loader.get_source(environment, "hover.js")[0] if environment.loader else ""
    return environment.get_template(template).render(
        version=__version__,
        style=style,
        script=script,
        style_hash=_policy_hash(style),
        script_hash=_policy_hash(script),
        **context,
    )


def _policy_hash(text: str) -> str:
    """SHA-256 in Base64: how a content security policy names the one style sheet or script that it lets in."""
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
