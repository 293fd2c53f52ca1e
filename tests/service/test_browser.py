"""The whole story in a browser, as people see it: on a desk and on a telephone, light and dark, for everybody.

Left out where Debian's Chromium is not there; an error where ``SEVENFOLD_NEEDS_SERVICES`` is set.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

import pyotp
import pytest
import uvicorn
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]  # it ships no types
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request
from served import SITE, Served, eligible, serve_new

from sevenfold.record.verify import verify
from sevenfold.service.app import app_of
from sevenfold.service.opening import first_link

TEMPLATES: Final = Path(__file__).parents[2] / "src" / "sevenfold" / "service" / "templates"
WIDTHS: Final = {"desk": 1280, "telephone": 390}
NO_SCREENS: Final = {"base", "macros", "envelope_page", "envelope_cards", "envelope_style"}
"""Parts of pages, and pages of a site's envelopes, which are looked at where they are opened without a server."""
WHO: Final = f"/subjects/{SITE}-002"


@contextmanager
def answering(served: Served) -> Iterator[str]:
    """The trial's pages on a port of this machine; answers the address."""
    server = uvicorn.Server(uvicorn.Config(app_of(served.room), port=0, log_level="error", access_log=False))
    work = threading.Thread(target=server.run, daemon=True)
    work.start()
    until = time.monotonic() + 30
    while not server.started and time.monotonic() < until:
        time.sleep(0.02)
    served.room.address = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    yield served.room.address
    server.should_exit = True
    work.join(timeout=20)


@dataclass(slots=True)
class Person:
    """Somebody with a browser window and an authenticator."""

    page: Page
    factor: str
    password: str
    last_step: int

    def again(self) -> None:
        """Password and six digits once more, of a step of time that was not used yet."""
        while self.last_step > time.time() // 30:
            time.sleep(0.5)
        self.last_step = max(int(time.time()) // 30, self.last_step + 1)
        self.page.fill("input[name=password]", self.password)
        self.page.fill("input[name=code]", pyotp.TOTP(self.factor).at(self.last_step * 30))


@dataclass
class Story:
    """A trial, its address, and what has been looked at."""

    browser: Browser
    address: str
    width: int
    looked_at: set[str] = field(default_factory=set)
    faults: list[str] = field(default_factory=list)
    contexts: list[BrowserContext] = field(default_factory=list)

    def window(self) -> Page:
        """A browser of somebody new, which tells what goes wrong in it."""
        context = self.browser.new_context(viewport={"width": self.width, "height": 900}, locale="en-GB")
        self.contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.on("console", self.hears)
        page.on("pageerror", lambda error: self.faults.append(f"{page.url}: {error}"))
        page.on("request", self.follows)
        return page

    def hears(self, said: ConsoleMessage) -> None:
        """What a page complains of, such as its own policy that was broken."""
        if said.type == "error":
            self.faults.append(f"{said.page.url if said.page else ''}: {said.text}")

    def follows(self, asked: Request) -> None:
        """Every request stays with the trial."""
        if not asked.url.startswith((self.address, "data:")):
            self.faults.append(f"{asked.url} was asked for")

    def begins(self, link: str, told: str = "") -> Person:
        """Somebody takes up an invitation, with the code that a second person told where it needs one."""
        page, password = self.window(), "a sentence of my own"
        page.goto(link)
        self.look(page, "begin")
        factor = page.locator("input[name=factor]").input_value()
        step = int(time.time()) // 30
        if told:
            page.fill("#told", told)
        page.fill("#password", password)
        page.fill("#again", password)
        page.fill("#code", pyotp.TOTP(factor).at(step * 30))
        page.get_by_role("button", name="Begin").click()
        page.wait_for_url(lambda url: "/begin/" not in url)
        return Person(page, factor, password, step)

    def look(self, page: Page, screen: str) -> None:
        """Nothing serious for those who see badly or not at all, and nothing that sticks out of the window."""
        self.looked_at.add(screen)
        schemes: tuple[Literal["light", "dark"], ...] = ("light", "dark")
        for scheme in schemes:
            page.emulate_media(color_scheme=scheme)
            found = Axe().run(page).response["violations"]
            grave = [
                f"{one['id']}: {node['html'][:200]}"
                for one in found
                if one["impact"] in ("serious", "critical")
                for node in one["nodes"]
            ]
            assert grave == [], (screen, scheme, grave)
        sticks_out = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert sticks_out <= 0, (screen, self.width, sticks_out)


@pytest.mark.parametrize("where", list(WIDTHS))
def test_the_whole_story_in_a_browser(tmp_path: Path, browser: Browser, where: str) -> None:
    """First start, users, a screening failure, randomisation, dosing, an adverse event, a correction, an emergency, the
    lock, unblinding by two and the final report; every screen is looked at.
    """
    served = serve_new(tmp_path / "trial")
    with answering(served) as address:
        story = Story(browser, address, WIDTHS[where])
        try:
            tell(story, served)
        finally:
            for context in story.contexts:
                context.close()
    assert story.faults == []
    every = {path.name.partition(".")[0] for path in TEMPLATES.glob("*.j2")} - NO_SCREENS
    assert story.looked_at == every
    assert verify(served.folder / "trial.db").is_whole
    served.room.close()


def renewed(person: Person) -> str:
    """Somebody renews the second factor; answers the new secret."""
    page = person.page
    secret = page.locator("input[name=factor]").input_value()
    person.again()
    page.fill("#new-code", pyotp.TOTP(secret).at(person.last_step * 30))
    page.get_by_role("button", name="Renew your second factor").click()
    assert "Your second factor was renewed" in page.inner_text("main")
    return secret


def tell(story: Story, served: Served) -> None:
    """The story."""
    at = story.address
    link = first_link(served.room, at)
    assert link is not None
    administrator = story.begins(link)
    story.look(administrator.page, "people")

    def admitted(name: str, role: str, site: str = "") -> Person:
        page = administrator.page
        page.goto(f"{at}/people")
        page.fill("#name", name)
        page.fill("#login", f"{name.lower()}@trial.example")
        page.select_option("#role", role)
        page.select_option("#site", site)
        page.get_by_role("button", name="Admit").click()
        return linked()

    def linked() -> Person:
        """Whoever the administrator made a link for begins, after the sponsor has confirmed who it is if need be."""
        page = administrator.page
        link, told = page.locator("code.link").inner_text(), ""
        if page.get_by_text("It opens nothing yet.").count():
            sara.page.goto(f"{at}/attest")
            sara.page.get_by_label("I met them.").check()
            sara.again()
            story.look(sara.page, "attest")
            sara.page.get_by_role("button", name="Confirm and see the code").click()
            told = sara.page.locator("code.half").inner_text()
        return story.begins(link, told)

    sara = admitted("Sara", "sponsor")
    sponsor = sara.page
    investigator = admitted("Ida", "investigator", SITE)
    nurse = admitted("Nina", "nurse", SITE).page
    pharmacist = admitted("Paul", "unblinded pharmacist", SITE).page
    stranger = story.window()
    stranger.goto(f"{at}/login")
    story.look(stranger, "login")

    sponsor.goto(f"{at}/progress")
    sponsor.locator(f"form[action='/sites/{SITE}/open'] button").click()
    story.look(sponsor, "progress")

    ward = investigator.page
    screened(ward, served, at, {"number age": "91"})
    assert "Age 91" in ward.locator(".timeline").inner_text()
    screened(ward, served, at, {"laboratory alc 0": "much"}, is_taken=False)
    story.look(ward, "screen")
    screened(ward, served, at, {})
    assert ward.url == f"{at}{WHO}"
    ward.check("input[name=by][value=patient]")
    ward.get_by_role("button", name="Record").click()

    nurse.goto(f"{at}{WHO}/visits/day%201")
    story.look(nurse, "visit")
    for name, value in {"alc": "450", "platelets": "120000", "inr": "1.2"}.items():
        nurse.fill(f"[name='{name}']", value)
    nurse.get_by_role("button", name="Record the visit").click()
    ward.reload()
    ward.get_by_role("button", name="Randomise now").click()
    story.look(ward, "subject")

    pharmacist.goto(f"{at}/pharmacy/stock")
    story.look(pharmacist, "stock")
    delivered(pharmacist)
    for summary in pharmacist.locator("main summary").all():
        summary.click()
    story.look(pharmacist, "stock")
    pharmacist.goto(f"{at}/pharmacy")
    pharmacist.get_by_role("button", name="Dispense").click()
    pharmacist.goto(f"{at}/pharmacy/stock/log")
    story.look(pharmacist, "accountability")
    pharmacist.goto(f"{at}/pharmacy")
    pharmacist.locator("summary", has_text="It came back").first.click()
    story.look(pharmacist, "pharmacy")
    kit = pharmacist.locator("tbody td:nth-child(4)").first.inner_text()
    nurse.goto(f"{at}{WHO}")
    nurse.fill("#kit", kit)
    nurse.get_by_role("button", name="Given", exact=True).click()
    assert f"kit {kit}" in nurse.locator(".timeline").inner_text()

    ward.goto(f"{at}{WHO}/event")
    story.look(ward, "event")
    ward.fill("#term", "Respiratory distress")
    ward.select_option("#grade", "4")
    ward.check("input[name=serious][value=yes]")
    ward.select_option("#relation", "possible")
    ward.select_option("#outcome", "recovering")
    ward.get_by_role("button", name="Report").click()
    watch = admitted("Mona", "medical monitor").page
    assert "severe event" in watch.inner_text("main")
    story.look(watch, "safety")
    watch.goto(f"{at}/serious")
    story.look(watch, "serious")
    watch.check("input[name=related][value=yes]")
    watch.check("input[name=expected][value=no]")
    watch.get_by_role("button", name="Record the judgement").click()
    assert "SUSAR" in watch.inner_text("main")
    story.look(watch, "serious")

    nurse.goto(f"{at}{WHO}/data")
    row = nurse.locator("tr", has_text="VisitHeld day 1")
    row.locator("summary", has_text="Correct").click()
    story.look(nurse, "data")
    row.locator("select[name=field]").select_option(label="INR")
    row.locator("input[name=after]").fill("1.3")
    row.locator("input[name=reason]").fill("misread")
    row.get_by_role("button", name="Correct").click()
    assert "1.2 → 1.3" in nurse.locator("tr", has_text="VisitHeld day 1").inner_text()

    nurse.goto(f"{at}/import")
    table = f"subject,visit,test,value,unit\n{WHO.rpartition('/')[2]},day 1,haemoglobin,10.5,g/dL\nX,day 1,inr,1,\n"
    nurse.set_input_files("#file", {"name": "r.csv", "mimeType": "text/csv", "buffer": table.encode()})
    nurse.get_by_role("button", name="Look at it").click()
    nurse.get_by_role("heading", name="New (1)").wait_for()
    story.look(nurse, "import")
    nurse.get_by_role("button", name="Record what is new").click()
    nurse.get_by_role("status").wait_for()
    assert "1 results were recorded" in nurse.inner_text("main")

    ward.goto(f"{at}/identities/{WHO.rpartition('/')[2]}")
    ward.fill("#family_name", "Morel")
    ward.get_by_role("button", name="Keep").click()
    ward.get_by_role("heading", name="Destroy the entry").wait_for()
    story.look(ward, "identity")
    ward.goto(f"{at}/identities")
    assert "Morel" in ward.inner_text("main")
    story.look(ward, "identities")

    ward.goto(f"{at}{WHO}/unblind")
    ward.fill("#asked_by", "Dr Ida, on call")
    ward.fill("#reason", "an antidote is considered")
    investigator.again()
    ward.get_by_role("button", name="show the treatment").click()
    assert ward.locator(".headline").inner_text() in {arm.label for arm in served.room.protocol.arms}
    story.look(ward, "unblind")
    sponsor.goto(f"{at}/notices")
    assert "an antidote is considered" in sponsor.inner_text("main")
    sponsor.get_by_role("button", name="Take note").click()
    story.look(sponsor, "notices")
    sponsor.goto(f"{at}/boundary")
    story.look(sponsor, "boundary")
    ward.goto(f"{at}/copy")
    with ward.expect_download() as copied:
        ward.get_by_role("button", name="Take a copy").click()
    assert copied.value.suggested_filename.endswith(f"{SITE}.zip")
    ward.goto(f"{at}/copy")
    story.look(ward, "copy")
    ward.goto(f"{at}/account")
    story.look(ward, "account")
    ward.get_by_role("link", name="Renew your second factor").click()
    story.look(ward, "factor")
    investigator.factor = renewed(investigator)
    page = administrator.page
    page.goto(f"{at}/people")
    row = page.locator("tr", has_text="nina@trial.example")
    row.locator("summary").click()
    row.locator("form[action$='/invite'] input[name=reason]").fill("telephone lost")
    row.get_by_role("button", name="New link").click()
    story.look(page, "people")
    linked().page.goto(f"{at}{WHO}")
    ward.goto(f"{at}{WHO}")
    ward.select_option("#step", "died")
    ward.fill("#detail", "septic shock")
    ward.get_by_role("button", name="Record").click()
    ward.goto(f"{at}/subjects")
    story.look(ward, "subjects")
    ward.goto(f"{at}/people")
    story.look(ward, "refused")
    story.faults[:] = [one for one in story.faults if "403" not in one and "422" not in one]  # asked for above

    the_end(story, served, admitted, investigator)


def the_end(story: Story, served: Served, admitted: object, investigator: Person) -> None:
    """The investigator signs, lock, unblinding by two, the report."""
    at = story.address
    assert callable(admitted)
    laboratory = admitted("Lara", "laboratory").page
    story.look(laboratory, "laboratory")
    statistician = admitted("Stan", "IDMC statistician")
    story.look(statistician.page, "masked")
    for name in ("open", "closed"):
        statistician.page.goto(f"{at}/committee/{name}")
        story.look(statistician.page, name)
    manager = admitted("Dora", "data manager").page
    manager.goto(f"{at}/report")
    manager.get_by_role("heading", name="Signatures that the lock waits for").wait_for()
    story.look(manager, "closing")
    assert manager.locator(f"a[href='{WHO}/data']").is_visible()
    investigator.page.goto(f"{at}{WHO}/data")
    investigator.again()
    investigator.page.get_by_role("button", name="Sign as Ida").click()
    story.look(investigator.page, "data")
    manager.goto(f"{at}/progress")
    manager.get_by_role("button", name="Lock").click()
    asking = admitted("Sven", "sponsor")
    asking.page.goto(f"{at}/report")
    story.look(asking.page, "closing")
    asking.again()
    asking.page.get_by_role("button", name="Ask").click()
    statistician.page.goto(f"{at}/report")
    statistician.again()
    statistician.page.get_by_role("button", name="Unblind the trial").click()
    until, reader = time.monotonic() + 120, asking.page
    while not (served.folder / "final" / "report.html").exists() and time.monotonic() < until:
        time.sleep(0.5)
    reader.goto(f"{at}/report")
    story.look(reader, "closing")
    reader.get_by_role("link", name="Read the final report").click()
    assert "Final report" in reader.inner_text("header")
    assert "No patient took part" not in reader.inner_text("body")
    auditor = admitted("Axel", "auditor").page
    auditor.select_option("#kind", "DatabaseLocked")
    auditor.get_by_role("button", name="Search").click()
    assert auditor.locator("tbody tr").count() == 1
    story.look(auditor, "ledger")
    auditor.goto(f"{at}{WHO}")
    story.look(auditor, "subject")


def delivered(page: Page) -> None:
    """A consignment with both products comes, one of them too warm."""
    for name, value in {"reference": "note 1", "lowest": "3", "highest": "12"}.items():
        page.fill(f"[name='{name}']", value)
    for product in ("cyt107", "placebo"):
        for name, value in {"batch": "B-1", "expires": "2199-01-31", "vials": "5"}.items():
            page.fill(f"[name='{name} {product} 1']", value)
    page.get_by_role("button", name="Record", exact=True).first.click()
    page.fill("[name='vials 1.1']", "5")
    page.select_option("#decision", "release")
    page.fill("#decided_by", "A. Martin, qualified person")
    page.fill("#j-reason", "stable")
    page.locator("form[action$=judge] button").click()
    assert "1.1" in page.inner_text("table.stock")


def screened(page: Page, served: Served, at: str, other: dict[str, str], *, is_taken: bool = True) -> None:
    """Fill in the screening form and send it."""
    page.goto(f"{at}/screen")
    for name, value in (eligible(served) | other).items():
        fields = page.locator(f"[name='{name}']")
        kind = fields.first.evaluate("one => one.type")
        if kind == "radio":
            page.check(f"[name='{name}'][value='{value}']")
        elif kind.startswith("select"):
            fields.first.select_option(value)
        else:
            fields.first.fill(value)
    page.get_by_role("button", name="Hold against the criteria").click()
    assert page.url.endswith("/screen") != is_taken
