"""The ledger's page: what the auditor looks for is found, page by page, by an address that can be kept."""

import re
from html import unescape
from pathlib import Path
from urllib.parse import urlencode

import pytest
from served import SITE, Served, enrolled, serve_new

from sevenfold.record import searching
from sevenfold.record.event import Event
from sevenfold.service.role import Role


@pytest.fixture
def served(tmp_path: Path) -> Served:
    """A trial with two randomised subjects."""
    one = serve_new(tmp_path / "trial")
    enrolled(one, 2)
    return one


def rows(text: str) -> list[int]:
    """The numbers of the events on a page, from its top."""
    return [int(n) for n in re.findall(r'<tr><td class="n">(\d+)</td>', text)]


def test_each_filter_finds_what_the_ledger_holds_of_it(served: Served) -> None:
    """Kind, subject, site, person by name, role or identifier, day, number; each alone, and two together."""
    auditor = served.as_a(Role.AUDITOR)
    events = list(served.room.conduct.ledger.events())
    ida = next(one for one in served.room.accounts.people() if one.role is Role.INVESTIGATOR)
    today = events[0].recorded_at[:10]

    def of(asked: dict[str, str]) -> list[int]:
        return rows(auditor.get(f"/ledger?{urlencode(asked)}"))

    def right(holds: object) -> list[int]:
        assert callable(holds)
        found = [event.sequence for event in reversed(events) if holds(event)]
        assert found
        return found

    def by_ida(event: Event) -> bool:
        return event.actor == ida.actor

    assert of({}) == right(lambda _event: True)
    assert of({"kind": "Randomised"}) == right(lambda event: event.type == "Randomised")
    assert of({"subject": "FR-1-002"}) == right(lambda event: event.subject == "FR-1-002")
    assert of({"site": SITE}) == right(lambda event: event.site == SITE)
    assert of({"who": ida.name.upper()}) == of({"who": ida.id}) == of({"who": ida.actor}) == right(by_ida)
    assert of({"from": today}) == of({"to": "2199-01-01"}) == of({})
    assert of({"to": "2020-01-01"}) == of({"from": "2199-01-01"}) == of({"who": "nobody at all"}) == []
    assert of({"number": "3"}) == [3]
    both = {"kind": "Randomised", "subject": "FR-1-002"}
    assert of(both) == right(lambda event: (event.type, event.subject) == ("Randomised", "FR-1-002"))


def test_pages_are_turned_by_links_and_keep_what_was_asked(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """Older and newer again; the filter stands in the address and in the form, and how many there are in all on top."""
    monkeypatch.setattr(searching, "_PAGE", 3)
    auditor, count = served.as_a(Role.AUDITOR), served.room.conduct.ledger.head.count
    text = auditor.get(f"/ledger?site={SITE}")
    assert f"<p>{count} events;" in text
    seen, first = rows(text), rows(text)
    while older := re.search(r'<a href="([^"]+)">Older</a>', text):
        assert f"site={SITE}" in older[1]
        text = auditor.get(unescape(older[1]))
        assert re.search(rf"<option selected>{SITE}</option>", text)
        seen += rows(text)
    at_site = [event.sequence for event in served.room.conduct.ledger.events() if event.site == SITE]
    assert seen == at_site[::-1]
    newer = re.search(r'<a href="([^"]+)">Newer</a>', text)
    assert newer is not None
    assert rows(auditor.get(unescape(newer[1])))[-1] > seen[-1]
    newest = re.search(r'<a href="([^"]+)">Newest</a>', text)
    assert newest is not None
    assert rows(auditor.get(unescape(newest[1]))) == first


def test_what_cannot_be_looked_for_is_told_and_stays_in_the_form(served: Served) -> None:
    """No number, no day, days the wrong way round; whatever is typed is shown as it is and does no harm."""
    auditor = served.as_a(Role.AUDITOR)
    for name, typed, told in (
        ("number", "-1", "is not a whole number"),
        ("number", "9" * 40, "is not a whole number"),
        ("below", "x", "is not a whole number"),
        ("from", "2026-02-30", "is not a day"),
    ):
        text = unescape(auditor.get(f"/ledger?{urlencode({name: typed})}"))
        assert told in text
        assert rows(text) == []
        assert name == "below" or f'value="{typed}"' in text
    assert "before the first" in auditor.get("/ledger?from=2026-02-02&to=2026-02-01")
    assert "before the first" not in auditor.get("/ledger?from=2026-02-01&to=2026-02-01")
    odd = '"><script>1</script>%_\\\x00'
    for name in ("kind", "subject", "site", "who"):
        text = auditor.get(f"/ledger?{urlencode({name: odd})}")
        assert "<script>1" not in text
        assert rows(text) == []
    auditor.client.cookies.set("language", "fr")
    assert "n’est pas un nombre entier" in auditor.get("/ledger?number=x")


def test_the_ledger_is_read_by_whoever_may_and_by_nobody_else(served: Served) -> None:
    """A filter opens no door."""
    for role in set(Role) - {Role.AUDITOR}:
        served.as_a(role).get("/ledger?kind=Randomised", 403)
