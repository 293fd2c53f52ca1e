"""Somebody who works fast, as a process of its own: screens, takes consent, randomises and reports, again and again.

What the server acknowledged is written into a file, a line each, before the next thing is sent. Nothing of Sevenfold is
imported: this is the other side of the wire. Arguments: the file that says everything (JSON).
"""

import http.client
import json
import random
import re
import sys
import time
from datetime import datetime
from pathlib import Path
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

_PATIENCE_S = 0.02  # before a server that does not answer is asked again


class Client:
    """One browser, with the cookie of one session."""

    def __init__(self, said: dict[str, str]) -> None:
        self.port = int(said["port"])
        self.headers = {"Cookie": f"sevenfold={said['cookie']}", "Content-Type": "application/x-www-form-urlencoded"}
        self.form_key = said["form_key"]
        self.connection: http.client.HTTPConnection | None = None

    def ask(self, method: str, path: str, form: dict[str, str] | None = None) -> tuple[int, str]:
        """Status and text of an answer; 0 where there was none."""
        body = urlencode({"form_key": self.form_key, **form}) if form is not None else None
        try:
            if self.connection is None:
                self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
            self.connection.request(method, path, body, self.headers)
            answer = self.connection.getresponse()
            text = answer.read().decode()
        except (OSError, http.client.HTTPException):
            self.connection = None
            return 0, ""
        return answer.status, text


def work(said: dict[str, str]) -> None:
    """Until the file that says stop is there."""
    client, stop = Client(said), Path(said["stop"])
    zone, n_events, think_s = ZoneInfo(said["zone"]), int(said["events"]), float(said["think_s"])
    with Path(said["log"]).open("a", encoding="utf-8") as log:

        def sent(what: str, path: str, form: dict[str, str]) -> bool:
            began = time.perf_counter()
            status, _ = client.ask("POST", path, form)
            taken_ms = 1000 * (time.perf_counter() - began)
            log.write(f"{status} {what} {taken_ms:.2f} {time.time():.3f}\n")
            log.flush()
            time.sleep(think_s * random.uniform(0.5, 1.5) if status else _PATIENCE_S)
            return status == 303

        while not stop.exists():
            status, page = client.ask("GET", "/screen")
            named = re.search(r'name="subject" value="([^"]+)"', page)
            if status != 200 or named is None:
                time.sleep(_PATIENCE_S)
                continue
            name, now = named[1], datetime.now(zone).strftime("%Y-%m-%dT%H:%M")
            who = f"/subjects/{name}"
            form = {**json.loads(said["screening"]), "subject": name}
            if not sent(f"CandidateScreened {name}", "/screen", form):
                continue
            if not sent(f"ConsentGiven {name}", f"{who}/consent", {"by": "patient", "at": now}):
                continue
            if not sent(f"Randomised {name}", f"{who}/randomise", {}):
                continue
            for n in range(1, n_events + 1):
                event = {
                    "number": str(n), "term": "Fever", "grade": "1", "serious": "no", "relation": "possible",
                    "outcome": "recovered", "began": now,
                }  # fmt: skip
                if not sent(f"AdverseEventReported/{n} {name}", f"{who}/event", event):
                    break


if __name__ == "__main__":
    work(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))
