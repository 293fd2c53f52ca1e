"""The stock's pages: what pharmacists receive, use, set aside, send back, destroy and count, seen by nobody else."""

import csv
import io
import re
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from served import SITE, Served, Visitor, enrolled, serve_again, serve_new

from sevenfold.service.role import Role
from sevenfold.trial.vials import VialStatus

PARIS = ZoneInfo("Europe/Paris")
COUNT = {
    "counted 1.1": "9",
    "stood 1.1": "10",
    "counted 1.2": "",
    "stood 1.2": "10",
    "reason": "monthly",
    "witness": "W",
}
BATCHES = {"cyt107": "C7-01", "placebo": "S-01"}


def delivery(n: int = 10, days: int = 300, highest: str = "6,5", **batches: str) -> dict[str, str]:
    """A consignment's form, with both products."""
    expires = (datetime.now(PARIS).date() + timedelta(days=days)).isoformat()
    named = BATCHES | batches
    said = {"reference": "note 17", "lowest": "2.5", "highest": highest}
    for product, batch in named.items():
        said |= {f"batch {product} 1": batch, f"expires {product} 1": expires, f"vials {product} 1": str(n)}
    return said


@pytest.fixture
def served(tmp_path: Path) -> Served:
    one = serve_new(tmp_path / "trial")
    enrolled(one, 2)
    return one


def pharmacist(served: Served) -> Visitor:
    visitor = served.as_a(Role.PHARMACIST)
    visitor.get("/pharmacy/stock")
    return visitor


def counts(served: Served) -> dict[str, dict[str, int]]:
    """By lot and status; those that are not 0."""
    found = served.room.conduct.stock.at(SITE)
    return {one.key: {status.value: n for status, n in one.counts.items() if n} for one in found}


def test_from_a_delivery_to_a_dose_and_a_kit_that_comes_back(served: Served) -> None:
    """Two subjects' doses take two vials, and the log tells every one of them."""
    visitor = pharmacist(served)
    assert "Nothing was received yet" in visitor.get("/pharmacy/stock")
    text = visitor.post("/pharmacy/stock/receive", delivery())
    assert "C7-01" in text
    assert "S-01" in text
    names = [f"{SITE}-001", f"{SITE}-002"]
    for name in names:
        visitor.get("/pharmacy")
        visitor.post(f"/pharmacy/{name}/1")
    kits = [served.room.conduct.standings[name].dispensed[1].kit for name in names]
    held = [served.room.vault.contents(kit) for kit in kits]
    used = {"1.1": held.count("cyt107"), "1.2": held.count("placebo")}
    assert {key: one.get("used", 0) for key, one in counts(served).items()} == used
    shown = visitor.get("/pharmacy")
    assert all(f"{batch} × 1" in shown for name, batch in BATCHES.items() if name in held)
    visitor.post(f"/pharmacy/kits/{names[0]}/1/return", {"reason": "not given"})
    text = visitor.post(f"/pharmacy/kits/{names[0]}/1/destroy", {"witness": "A. Roux", "certificate": "D-7"})
    assert "destroyed" in text
    log = visitor.get("/pharmacy/stock/log")
    assert all(word in log for word in (*kits, "note 17; 2.5 to 6.5 °C", "A. Roux; D-7"))
    rows = list(csv.DictReader(io.StringIO(visitor.get("/pharmacy/stock/log.csv"))))
    assert [row["what"] for row in rows] == ["received"] * 2 + ["dispensed"] * 2 + ["kit returned", "kit destroyed"]
    assert [row["product"] for row in rows[2:4]] == held
    assert rows[-1]["product"] == held[0]


def test_vials_are_set_aside_judged_sent_back_and_destroyed(served: Served) -> None:
    """Each by its form; what is recorded is there for a server that is started anew."""
    visitor = pharmacist(served)
    visitor.post("/pharmacy/stock/receive", delivery(10, highest="12"))
    assert counts(served) == {"1.1": {"in quarantine": 10}, "1.2": {"in stock": 10}}
    said = {"vials 1.1": "8", "vials 1.2": "", "decision": "release", "decided_by": "QP Martin", "reason": "stable"}
    visitor.post("/pharmacy/stock/judge", said)
    visitor.post("/pharmacy/stock/judge", said | {"vials 1.1": "2", "decision": "reject"})
    warm = {"lowest": "2", "highest": "9", "minutes": "45", "reason": "door", "vials 1.1": "1", "vials 1.2": "1"}
    visitor.post("/pharmacy/stock/quarantine", warm)
    back = {"come_from": "in stock", "vials 1.2": "3", "recipient": "depot", "reference": "R-1"}
    visitor.post("/pharmacy/stock/return", back)
    gone = {"come_from": "rejected", "vials 1.1": "2", "witness": "A. Roux", "certificate": "D-1"}
    visitor.post("/pharmacy/stock/destroy", gone)
    expected = {
        "1.1": {"in stock": 7, "in quarantine": 1, "destroyed": 2},
        "1.2": {"in stock": 6, "in quarantine": 1, "returned": 3},
    }
    assert counts(served) == expected
    again = serve_again(served)
    assert counts(again) == expected
    assert VialStatus.REJECTED.value in pharmacist(again).get("/pharmacy/stock")


@pytest.mark.parametrize(
    ("form", "changed", "told"),
    [
        ("receive", {"highest": "warm"}, "is not a temperature"),
        ("receive", {"lowest": "9"}, "is above the highest"),
        ("receive", {"vials cyt107 1": "ten"}, "is not a whole number"),
        ("receive", {"vials cyt107 1": "0"}, "greater than or equal to 1"),
        ("receive", {"expires cyt107 1": "31/12/2027"}, "is not a day"),
        ("receive", {"batch cyt107 1": ""}, "nothing was filled in"),
        ("return", {"vials 1.1": "11"}, "are meant, and 10 are in stock"),
        ("return", {"vials 1.1": "1", "come_from": "used"}, "come from"),
        ("return", {"vials 1.1": ""}, "say of a lot how many"),
        ("return", {"vials 9.9": "1"}, "has no lot"),
        ("count", {"counted 1.1": "-1"}, "is not a whole number"),
        ("count", {"counted 1.1": "9.5"}, "is not a whole number"),
        ("count", {"counted 1.1": "21"}, "record what came as a consignment"),
        ("count", {"counted 1.1": ""}, "say of a lot how many"),
        ("count", {"counted 9.9": "1", "stood 9.9": "1"}, "has no lot"),
        ("count", {"stood 1.1": "9"}, "something was recorded meanwhile"),
        ("count", {"stood 1.1": ""}, "Expected: nothing was filled in"),
        ("count", {"reason": " "}, "Reason: nothing was filled in"),
        ("count", {"witness": ""}, "Witness: nothing was filled in"),
        ("count", {"witness": "x" * 201}, "witness cannot be so"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_recorded(
    served: Served, form: str, changed: dict[str, str], told: str
) -> None:
    visitor = pharmacist(served)
    visitor.post("/pharmacy/stock/receive", delivery())
    before, n = counts(served), served.room.conduct.ledger.head.count
    back = {"come_from": "in stock", "vials 1.1": "1", "recipient": "depot", "reference": "R-1"}
    forms = {"receive": delivery(), "return": back, "count": COUNT}
    said = forms[form] | changed
    text = visitor.client.post(f"/pharmacy/stock/{form}", data={"form_key": visitor.form_key, **said})
    assert text.status_code in (409, 422), text.text
    assert told in text.text
    assert (counts(served), served.room.conduct.ledger.head.count) == (before, n)


def test_a_count_puts_a_miscount_right_and_the_log_tells_it(served: Served) -> None:
    """One is missing; none is there; all turn up with one that was never typed. A new start knows it."""
    visitor = pharmacist(served)
    visitor.post("/pharmacy/stock/receive", delivery(10))
    text = visitor.post("/pharmacy/stock/count", COUNT)
    assert "expected: 9" in text
    assert counts(served) == {"1.1": {"in stock": 9, "missing": 1}, "1.2": {"in stock": 10}}
    visitor.post("/pharmacy/stock/count", COUNT | {"counted 1.1": "0", "stood 1.1": "9", "counted 1.2": "10"})
    assert counts(served) == {"1.1": {"missing": 10}, "1.2": {"in stock": 10}}
    text = visitor.post("/pharmacy/stock/count", COUNT | {"counted 1.1": "11", "stood 1.1": "0", "reason": "typed 10"})
    assert "(1 more by a count)" in text
    again = serve_again(served)
    assert counts(again) == {"1.1": {"in stock": 11}, "1.2": {"in stock": 10}}
    rows = list(csv.DictReader(io.StringIO(pharmacist(again).get("/pharmacy/stock/log.csv"))))
    assert [(row["what"], row["lot"], row["n_vials"], row["n_left"], row["more"]) for row in rows[2:]] == [
        ("missing", "1.1", "1", "9", "9 counted, 10 expected; monthly; W"),
        ("missing", "1.1", "9", "0", "0 counted, 9 expected; monthly; W"),
        ("counted", "1.2", "10", "10", "10 counted, 10 expected; monthly; W"),
        ("found", "1.1", "10", "11", "11 counted, 0 expected; typed 10; W"),
        ("receipt corrected", "1.1", "1", "11", "11 counted, 0 expected; typed 10; W"),
    ]
    assert all(row["by"].startswith(Role.PHARMACIST.value) and row["at"] for row in rows)


def test_nobody_is_witness_of_their_own_count(served: Served) -> None:
    """A second person is named, not the pharmacist again in other letters."""
    visitor = pharmacist(served)
    visitor.post("/pharmacy/stock/receive", delivery(10))
    me = next(one for one in served.room.accounts.people() if one.role is Role.PHARMACIST and one.site == SITE)
    for name in (me.name, me.name.upper(), me.login, me.id):
        text = visitor.post("/pharmacy/stock/count", COUNT | {"witness": name}, status=422)
        assert "name a second person" in text
    assert counts(served) == {"1.1": {"in stock": 10}, "1.2": {"in stock": 10}}


def test_the_forecast_reckons_with_what_was_counted(served: Served) -> None:
    """One vial of each lies there: running out is as likely as where one had come, and less where fifty had."""
    visitor = pharmacist(served)
    visitor.post("/pharmacy/stock/receive", delivery(50))
    asked = "/pharmacy/stock?horizon=60&lead=40&risk=10"
    plenty = [float(found) for found in re.findall(r"([\d.]+) %</td>", visitor.get(asked))]
    visitor.get("/pharmacy/stock")
    few = COUNT | {"counted 1.1": "1", "stood 1.1": "50", "counted 1.2": "1", "stood 1.2": "50"}
    visitor.post("/pharmacy/stock/count", few)
    scarce = [float(found) for found in re.findall(r"([\d.]+) %</td>", visitor.get(asked))]
    assert all(more > less for more, less in zip(scarce, plenty, strict=True))


def test_a_shortage_is_told_to_the_pharmacist_and_leaves_no_trace(served: Served) -> None:
    """Nobody else learns that a dose was refused, let alone why."""
    visitor = pharmacist(served)
    visitor.post("/pharmacy/stock/receive", delivery(10, days=-1))
    n = served.room.conduct.ledger.head.count
    visitor.get("/pharmacy")
    text = visitor.post(f"/pharmacy/{SITE}-001/1", status=409)
    assert "lacks cyt107 (0 of 1 vials) and placebo (0 of 1 vials)" in re.sub(r"\s+", " ", text)
    assert served.room.conduct.ledger.head.count == n
    assert "expired" in visitor.get("/pharmacy/stock")


def test_a_batch_that_expires_within_a_month_is_marked(served: Served) -> None:
    visitor = pharmacist(served)
    assert 'class="soon"' in visitor.post("/pharmacy/stock/receive", delivery(10, days=20))
    assert served.as_a(Role.PHARMACIST, "FR-2").get("/pharmacy/stock").count("C7-01") == 0


def test_the_forecast_stands_beneath_the_stock_and_can_be_asked_otherwise(served: Served) -> None:
    """Two subjects are due today and later; a shorter lead time is never riskier."""
    visitor = pharmacist(served)
    text = visitor.post("/pharmacy/stock/receive", delivery(3))
    assert text.count("<svg") == 2
    risks = []
    for lead in (2, 40):
        text = visitor.get(f"/pharmacy/stock?horizon=60&lead={lead}&risk=10")
        risks.append([float(found) for found in re.findall(r"([\d.]+) %</td>", text)])
    assert all(short <= long for short, long in zip(*risks, strict=True))
    assert max(risks[1]) > 50.0
    assert "must be sooner" in visitor.get("/pharmacy/stock?horizon=10&lead=10", status=422)
    assert "not a whole number" in visitor.get("/pharmacy/stock?risk=high", status=422)


def test_a_cell_that_a_spreadsheet_would_work_out_is_text(served: Served) -> None:
    visitor = pharmacist(served)
    visitor.post("/pharmacy/stock/receive", delivery(cyt107="=1+1"))
    rows = list(csv.DictReader(io.StringIO(visitor.get("/pharmacy/stock/log.csv"))))
    assert rows[0]["batch"] == "'=1+1"


def test_a_protocol_without_vials_says_that_no_stock_is_kept(served: Served) -> None:
    file = served.room.file
    bare = {name: one.model_copy(update={"vial": None}) for name, one in file.protocol.products.items()}
    object.__setattr__(file, "protocol", file.protocol.model_copy(update={"products": bare}))
    visitor = pharmacist(served)
    assert "names no vials" in visitor.get("/pharmacy/stock")
    assert '"/pharmacy/stock"' not in visitor.get("/pharmacy")
    visitor.post(f"/pharmacy/{SITE}-001/1")
