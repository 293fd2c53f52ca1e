"""Sealed envelopes for a site, as two pages that are kept apart: one that opens them offline, and the cards to print.

The page that opens them is one file without a server: any browser shows it, and the browser decrypts. Neither page says
an arm.
"""

import base64
import hashlib
import json
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from sevenfold.errors import InvalidInput
from sevenfold.protocol.load import ProtocolFile
from sevenfold.service.language import translator
from sevenfold.service.rendering import environment
from sevenfold.trial.enrolling import stratum_of
from sevenfold.vault.envelopes import ALPHABET
from sevenfold.vault.vault import Vault

__all__ = ["write_envelopes"]

_TOLD: Final = (
    "This code does not belong to this number. Look at both again.",
    "Subject {number} receives",
    "opened at {at}. Who: {who}. Why: {why}",
    "This browser can't open envelopes here. Save it on the disk and open it from there, or take another browser.",
)


def write_envelopes(file: ProtocolFile, vault: Vault, site: str, folder: Path, language: str) -> tuple[Path, Path]:
    """Write ``envelopes-SITE.html`` (opens them) and ``codes-SITE.html`` (the cards) into a folder.

    Raises:
        InvalidInput: no such site, or a file is there already.
    """
    sites = file.protocol.sites
    if site not in sites:
        raise InvalidInput(f"The protocol has no site {site!r}; its sites are {', '.join(sites)}.")
    told = {arm.id: arm.label for arm in file.protocol.arms}
    envelopes = vault.envelopes(stratum_of(file, site), told)
    say = translator(language)
    script = files("sevenfold.service").joinpath("static/envelope.js").read_text(encoding="utf-8")
    shown: dict[str, Any] = {
        "protocol": file.protocol,
        "site": sites[site][1],
        "language": language,
        "_": say,
        "script": script,
        "hash": base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
    }
    sealed = {one.number: one.sealed for one in envelopes}
    given = {"sealed": sealed, "alphabet": ALPHABET, "told": [say(text) for text in _TOLD]}
    data = json.dumps(given).replace("<", "\\u003c")  # it stands within a page's script
    pages: dict[Path, tuple[str, dict[str, Any]]] = {
        folder / f"envelopes-{site}.html": (
            "envelope_page",
            {"numbers": list(sealed), "data": data},
        ),
        folder / f"codes-{site}.html": ("envelope_cards", {"envelopes": envelopes}),
    }
    there = next((path for path in pages if path.exists()), None)
    if there is not None:
        raise InvalidInput(f"{there} exists already; name another folder with --to.")
    folder.mkdir(parents=True, exist_ok=True)
    for path, (template, more) in pages.items():
        path.touch(mode=0o600)
        path.write_text(environment().get_template(f"{template}.html.j2").render(**shown, **more), encoding="utf-8")
    opens, cards = pages
    return opens, cards
