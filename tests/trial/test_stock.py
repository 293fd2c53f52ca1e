"""The stock of vials: every vial stands in one place at all times, and what a dose takes is what expires first."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from rehearsals import with_planned
from sevenfold.clock import SimulatedClock
from sevenfold.edge.supply import supply_of
from sevenfold.edge.unblinding import reveal
from sevenfold.errors import InvalidInput, OutOfOrder
from sevenfold.protocol.load import ProtocolFile, load
from sevenfold.record.head import SigningKey
from sevenfold.record.ledger import Ledger
from sevenfold.record.payloads import Corrected, DoseNotGiven, Result, Unblinded, UnblindingAsked, read_payload
from sevenfold.rules.dosing import vials_for
from sevenfold.rules.screening import InfusionSpan, Measurement, Screening
from sevenfold.sealing import open_sealed
from sevenfold.trial.accountability import accountability
from sevenfold.trial.closing import lock_database
from sevenfold.trial.conduct import Conduct
from sevenfold.trial.correcting import correct_event
from sevenfold.trial.dosing import give_dose, prepare_dose
from sevenfold.trial.enrolling import randomise_subject, record_consent, screen_candidate
from sevenfold.trial.opening import open_site, open_trial
from sevenfold.trial.signing import MEANINGS, sign_data
from sevenfold.trial.stock import OutOfStock, Stock, StockedLot
from sevenfold.trial.supplying import count_vials, destroy_kit, move_vials, receive_consignment, return_kit
from sevenfold.trial.vials import Consignment, Destroyed, Judged, Lot, Moved, Quarantined, Returned, VialStatus
from sevenfold.trial.visiting import record_visit
from sevenfold.vault.vault import Vault

AT = datetime(2016, 5, 2, 9, tzinfo=UTC)
SITE = "FR-1"
PARIS = ZoneInfo("Europe/Paris")
LATER = "2016-12-31"
ABSENT = (
    "active_cancer_treatment", "autoimmune_disease", "cardiac_arrest_without_recovery", "end_stage_liver_disease",
    "female", "haematological_malignancy", "hiv_or_active_hepatitis", "immunosuppressive_treatment",
    "moribund_or_care_withdrawn", "oliguria_4h", "other_investigational_drug", "pregnant_or_lactating", "splenectomy",
)  # fmt: skip
PRESENT = ("consent_possible", "icu_stay_two_weeks_predicted", "invasive_ventilation_24h", "suspected_infection")
NUMBERS = {
    "age": 60.0, "weight": 70.0, "height": 170.0, "hours_since_icu_admission": 72.0, "sirs_criteria": 3.0,
    "hours_since_sepsis_diagnosis": 80.0, "sofa_worst_at_entry": 9.0, "sofa_worst_organ_at_entry": 3.0,
    "fluid_24h": 30.0, "creatinine_highest": 2.5,
}  # fmt: skip


@cache
def loaded(name: str) -> ProtocolFile:
    """A built-in protocol, read once."""
    return load(name)


@dataclass(slots=True)
class Shop:
    """A trial with one open site."""

    folder: Path
    file: ProtocolFile
    clock: SimulatedClock
    ledger: Ledger
    vault: Vault
    conduct: Conduct

    @classmethod
    def opened(cls, folder: Path, n: int = 60, protocol: str = "iris-7", secret: int = 0) -> "Shop":
        file = with_planned(loaded(protocol), n)
        clock = SimulatedClock(AT)
        vault = Vault.create(folder / "vault.db", supply_of(file), bytes([secret] * 32))
        ledger = Ledger.create(folder / "trial.db", clock, SigningKey(bytes(32)))
        conduct = Conduct(file, ledger, vault)
        open_trial(conduct, AT, is_rehearsal=False)
        open_site(conduct, SITE, AT)
        conduct.commit()
        return cls(folder, file, clock, ledger, vault, conduct)

    def again(self) -> None:
        """As a server that was started anew finds it."""
        self.conduct.commit()
        self.ledger.close()
        self.ledger = Ledger.reopened(self.folder / "trial.db", self.clock, SigningKey(bytes(32)))
        self.vault = Vault.reopened(self.folder / "vault.db", self.vault._secret)
        self.conduct = Conduct.resumed(self.file, self.ledger, self.vault)
        self.conduct.reconcile()

    @property
    def stock(self) -> Stock:
        return self.conduct.stock

    def receive(self, *lots: Lot, warmest: float = 8.0) -> None:
        came = Consignment(reference="note 1", lowest_celsius=2.0, highest_celsius=warmest, lots=list(lots))
        receive_consignment(self.conduct, SITE, came, self.clock.at)

    def enrolled(self) -> str:
        subject, at = f"{SITE}-{len(self.conduct.standings) + 1:03d}", self.clock.at
        counts = tuple(Measurement(value=v, taken_at=at - timedelta(hours=h)) for v, h in ((700.0, 20), (900.0, 4)))
        span = InfusionSpan(rate=0.2, began_at=at - timedelta(hours=40), ended_at=at - timedelta(hours=10))
        facts = dict.fromkeys(ABSENT, False) | dict.fromkeys(PRESENT, True)
        known = Screening(
            at=at, facts=facts, numbers=NUMBERS, laboratory={"alc": counts}, infusions={"norepinephrine": (span,)}
        )
        assert not screen_candidate(self.conduct, subject, SITE, known)
        record_consent(self.conduct, subject, "patient", at)
        randomise_subject(self.conduct, subject, at)
        return subject

    def dispensed(self, subject: str, day: int = 1) -> str:
        prepared = prepare_dose(self.conduct, subject, day, self.clock.at)
        assert prepared is not None
        return prepared[0]

    def __getitem__(self, key: str) -> StockedLot:
        return self.stock.lots[SITE][key]


def lots(n: int = 10, expires: str = LATER) -> tuple[Lot, Lot]:
    """Of both products."""
    return (
        Lot(product="cyt107", batch="C7-01", expires=expires, n_vials=n),
        Lot(product="placebo", batch="S-01", expires=expires, n_vials=n),
    )


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop.opened(tmp_path)


def test_a_dose_takes_vials_of_what_its_kit_holds_and_of_nothing_else(shop: Shop) -> None:
    """Receipt, dispensing, and the two products' counts."""
    shop.receive(*lots())
    used = {"cyt107": 0, "placebo": 0}
    for _ in range(12):
        kit = shop.dispensed(shop.enrolled()) if used["cyt107"] < 10 > used["placebo"] else ""
        if kit:
            used[shop.vault.contents(kit)] += 1
    assert min(used.values()) > 0
    assert {shop["1.1"][VialStatus.USED], shop["1.2"][VialStatus.USED]} == set(used.values())
    assert shop["1.1"][VialStatus.USED] == used["cyt107"]


def test_what_expires_first_goes_first_and_what_has_expired_never(shop: Shop) -> None:
    """By day of expiry, and among equal ones by arrival."""
    shop.receive(*lots(3, "2016-06-30"))
    shop.receive(*lots(3, "2016-05-31"))
    shop.receive(*lots(3, "2016-05-01"))
    day = date(2016, 5, 2)
    for product, place in (("cyt107", 1), ("placebo", 2)):
        assert [one.key for one in shop.stock.usable(SITE, product, day)] == [f"2.{place}", f"1.{place}"]
    assert shop.stock.pick(SITE, {"cyt107": 5}, day) == {"cyt107": {"2.1": 3, "1.1": 2}}
    assert shop.stock.pick(SITE, {"cyt107": 3}, date(2016, 6, 1)) == {"cyt107": {"1.1": 3}}


@pytest.mark.parametrize(("hour", "is_usable"), [(23, True), (24, False)])
def test_a_vial_is_used_until_midnight_at_the_site_of_its_last_day(shop: Shop, hour: int, is_usable: bool) -> None:
    """Not until midnight in Greenwich: 23:30 in Paris in May is 21:30 there, 00:30 is 22:30 of the day before."""
    shop.receive(*lots(5, "2016-05-02"))
    shop.clock.move_to(datetime(2016, 5, 2, 0, 30, tzinfo=PARIS).astimezone(UTC) + timedelta(hours=hour))
    subject = shop.enrolled()
    if is_usable:
        shop.dispensed(subject)
    else:
        with pytest.raises(OutOfStock, match=r"lacks cyt107 .* and placebo .* on 2016-05-03"):
            shop.dispensed(subject)


def test_a_dose_is_held_alike_for_everybody_when_one_product_is_out(shop: Shop) -> None:
    """Else two subjects on the same day, one dosed and one not, would be known to differ."""
    subjects = [shop.enrolled() for _ in range(9)]
    shop.receive(lots()[1])
    for subject in subjects:
        with pytest.raises(OutOfStock, match=r"lacks cyt107 \(0 of 1 vials\) that may be used"):
            shop.dispensed(subject)
    assert shop["1.1"][VialStatus.IN_STOCK] == 10
    assert not any(standing.dispensed for standing in shop.conduct.standings.values())
    shop.receive(lots()[0])
    for subject in subjects:
        shop.dispensed(subject)
    assert {shop.vault.contents(kit) for kit in shop.vault._contents} == {"cyt107", "placebo"}


def test_a_warm_journey_or_a_quarantine_keeps_vials_from_use_until_they_are_released(shop: Shop) -> None:
    """Each product is held against how it is stored: the saline may lie at 20 °C, the protein may not."""
    shop.receive(*lots(4), warmest=20.0)
    assert shop["1.1"][VialStatus.QUARANTINED] == 4
    assert shop["1.2"][VialStatus.IN_STOCK] == 4
    with pytest.raises(OutOfOrder, match=r"5 vials of batch C7-01 \(1.1\) are meant, and 4 are in quarantine"):
        move(shop, Judged(vials={"1.1": 5}, is_released=True, decided_by="QP", reason="stable"))
    with pytest.raises(OutOfOrder, match="and 0 are in stock"):
        move(shop, Destroyed(vials={"1.1": 1}, come_from="in stock", witness="w", certificate="c"))
    move(shop, Judged(vials={"1.1": 3}, is_released=True, decided_by="QP", reason="stable"))
    move(shop, Judged(vials={"1.1": 1}, is_released=False, decided_by="QP", reason="not stable"))
    shop.dispensed(shop.enrolled())
    move(shop, Destroyed(vials={"1.1": 1}, come_from="rejected", witness="w", certificate="c"))
    assert sum(shop["1.1"].counts.values()) == 4
    assert shop["1.1"][VialStatus.REJECTED] == 0
    with pytest.raises(OutOfOrder, match=r"has no lot '7\.1'"):
        move(shop, Returned(vials={"7.1": 1}, come_from="in stock", recipient="depot", reference="r"))


def test_of_a_product_without_vials_nothing_is_received(shop: Shop) -> None:
    with pytest.raises(InvalidInput, match="Of 'il2' no stock is kept"):
        shop.receive(Lot(product="il2", batch="b", expires=LATER, n_vials=1))


def test_a_kit_that_was_not_given_comes_back_and_is_destroyed_once(shop: Shop) -> None:
    """Dispensed = given + came back + on the ward; what came back is not given, its vials stay used."""
    shop.receive(*lots())
    subject, at = shop.enrolled(), shop.clock.at
    kit = shop.dispensed(subject)
    with pytest.raises(OutOfOrder, match="did not come back"):
        destroy_kit(shop.conduct, subject, 1, "w", "c", at)
    shop.conduct.record(subject, DoseNotGiven(study_day=1, reason="fever"), "nurse", at)
    return_kit(shop.conduct, subject, 1, "not given", at)
    with pytest.raises(OutOfOrder, match=f"kit {kit} came back already"):
        return_kit(shop.conduct, subject, 1, "not given", at)
    destroy_kit(shop.conduct, subject, 1, "w", "c", at)
    with pytest.raises(OutOfOrder, match="destroyed already"):
        destroy_kit(shop.conduct, subject, 1, "w", "c", at)
    assert sum(shop[key][VialStatus.USED] for key in ("1.1", "1.2")) == 1
    with pytest.raises(InvalidInput, match="reason cannot be so: input should be"):
        return_kit(shop.conduct, subject, 1, "looks like cyt107", at)


def test_a_kit_that_came_back_is_not_given(shop: Shop) -> None:
    subject, at = shop.enrolled(), shop.clock.at
    kit, injected = prepare_dose(shop.conduct, subject, 1, at) or ("", None)
    assert injected is not None
    return_kit(shop.conduct, subject, 1, "damaged", at)
    with pytest.raises(OutOfOrder, match=f"kit {kit} came back to the pharmacy"):
        give_dose(shop.conduct, subject, 1, kit, injected, at)


def test_a_site_that_has_received_nothing_dispenses_without_stock_and_counts_the_kits(shop: Shop) -> None:
    """So that a trial that began without stock goes on; the page says so."""
    shop.dispensed(shop.enrolled())
    assert not shop.stock.is_kept_at(SITE)
    assert shop.stock.n_uncounted == {SITE: 1}
    shop.receive(*lots())
    shop.dispensed(shop.enrolled())
    assert shop.stock.n_uncounted == {SITE: 1}


def test_events_on_supplies_are_of_one_length_and_hold_no_word_of_what_they_say(shop: Shop) -> None:
    """One vial or a thousand, one lot or two."""
    shop.receive(lots(1)[0])
    shop.receive(*lots(1000))
    move(shop, Returned(vials={"2.2": 900}, come_from="in stock", recipient="depot of cyt107", reference="r"))
    count(shop, _1_1=0)
    count(shop, _1_1=-1, _2_1=-999, _2_2=900)
    said = [event.payload for event in shop.ledger.waiting() if event.type.startswith("Supplies")]
    assert len(said) == 5
    assert len({len(payload) for payload in said}) == 1
    assert not any(word in payload for word in (b"cyt107", b"placebo", b"C7-01", b"2016") for payload in said)


def test_a_count_that_finds_fewer_leaves_them_missing_and_no_dose_takes_them(shop: Shop) -> None:
    """Nine came of each, one lies there: one dose is prepared, and the next waits."""
    shop.receive(*lots(9))
    count(shop, _1_1=-8, _1_2=-8)
    assert {key: shop[key][VialStatus.MISSING] for key in ("1.1", "1.2")} == {"1.1": 8, "1.2": 8}
    assert shop.stock.pick(SITE, {"cyt107": 1}, AT.date()) == {"cyt107": {"1.1": 1}}
    shop.dispensed(shop.enrolled())
    with pytest.raises(OutOfStock, match=r"\(0 of 1 vials\)"):
        shop.dispensed(shop.enrolled())
    count(shop, _1_1=0, _1_2=2)
    count(shop, _1_1=2)
    shop.dispensed(shop.enrolled())


def test_a_count_that_finds_more_takes_the_missing_back_and_then_corrects_the_receipt(shop: Shop) -> None:
    """Sixty were typed and 59 found; then one turns up, and two that had never been typed."""
    shop.receive(*lots(60))
    count(shop, _1_1=-1)
    assert (shop["1.1"][VialStatus.IN_STOCK], shop["1.1"][VialStatus.MISSING], shop["1.1"].n_received) == (59, 1, 60)
    count(shop, _1_1=3)
    assert (shop["1.1"][VialStatus.IN_STOCK], shop["1.1"][VialStatus.MISSING], shop["1.1"].n_received) == (62, 0, 62)
    assert (shop["1.1"].n_corrected, shop["1.2"].n_corrected) == (2, 0)
    shop.conduct.commit()
    logged = [(one.what, one.n_vials, one.n_left) for one in accountability(shop.conduct, SITE)]
    assert logged[2:] == [("missing", 1, 59), ("found", 1, 62), ("receipt corrected", 2, 62)]


def test_a_count_that_agrees_moves_nothing_and_is_recorded(shop: Shop) -> None:
    """The log says that it was made."""
    shop.receive(*lots(5))
    before = {key: dict(lot.counts) for key, lot in shop.stock.lots[SITE].items()}
    count(shop, _1_1=0, _1_2=0)
    assert {key: dict(lot.counts) for key, lot in shop.stock.lots[SITE].items()} == before
    shop.conduct.commit()
    last = accountability(shop.conduct, SITE)[-1]
    assert (last.what, last.n_vials, last.more) == ("counted", 5, "5 counted, 5 expected; recount; A. Roux")


@pytest.mark.parametrize(
    ("counted", "stood", "told"),
    [
        ({"1.1": -1}, {"1.1": 10}, "-1 vials of batch C7-01 .1.1. can't have been counted: 10 should be there, of 10"),
        ({"1.1": 21}, {"1.1": 10}, "21 vials .* record what came as a consignment"),
        ({"1.1": 9}, {"1.1": 11}, "10 vials are in stock by now, not 11: something was recorded meanwhile"),
        ({"1.1": 9}, {}, "10 vials are in stock by now, not None"),
        ({"1.1": 9, "7.1": 1}, {"1.1": 10, "7.1": 1}, "has no lot '7.1'; it has 1.1, 1.2"),
    ],
)
def test_a_count_that_cannot_be_is_refused_whole(
    shop: Shop, counted: dict[str, int], stood: dict[str, int], told: str
) -> None:
    """Nothing of it is recorded, of the other lots neither."""
    shop.receive(*lots())
    n = len(list(shop.ledger.waiting()))
    with pytest.raises(OutOfOrder, match=told):
        count_vials(shop.conduct, SITE, counted, stood, "recount", "w", shop.clock.at)
    with pytest.raises(InvalidInput, match="differences cannot be so"):
        count_vials(shop.conduct, SITE, {}, {}, "recount", "w", shop.clock.at)
    with pytest.raises(InvalidInput, match="witness cannot be so"):
        count_vials(shop.conduct, SITE, {"1.1": 9}, {"1.1": 10}, "recount", " ", shop.clock.at)
    assert len(list(shop.ledger.waiting())) == n
    assert shop["1.1"][VialStatus.IN_STOCK] == 10


def test_of_two_sites_that_lost_one_vial_the_same_is_said_whatever_they_used(tmp_path: Path) -> None:
    """What is sealed holds no number that use has moved, so that it is the same to the byte."""
    said = []
    for name, n in (("a", 10), ("b", 20)):
        (tmp_path / name).mkdir()
        shop = Shop.opened(tmp_path / name)
        shop.receive(*lots(n))
        count(shop, _1_1=-1, _1_2=0)
        said.append([event.payload for event in shop.ledger.waiting() if event.type == "SuppliesCounted"])
    assert said[0] == said[1] != []


def test_after_the_planned_unblinding_the_ledger_alone_tells_the_stock(shop: Shop) -> None:
    """With the keys that the unblinding reveals, without the vault."""
    shop.receive(*lots())
    subjects = [shop.enrolled() for _ in range(6)]
    count(shop, _1_1=-2, _1_2=3)
    count(shop, _1_1=1)
    for subject in subjects:
        shop.dispensed(subject)
        shop.conduct.ending(subject, shop.clock.at)
        sign_data(shop.conduct, subject, "Dr Ida", MEANINGS[0], None, shop.clock.at)
    before = {key: dict(lot.counts) for key, lot in shop.stock.lots[SITE].items()}
    lock_database(shop.conduct, shop.clock.at)
    shop.conduct.say_of_trial(UnblindingAsked(person="p", name="n"), "sponsor", shop.clock.at)
    reveal(shop.conduct, shop.vault, shop.clock.at)
    shop.conduct.commit()
    events = list(shop.ledger.events())
    revealed = read_payload(events[-1])
    assert isinstance(revealed, Unblinded)
    key = bytes.fromhex(revealed.results_key)
    told = Stock(lambda place, sealed: open_sealed(key, place, sealed), lambda kit: revealed.vials.get(kit, {}))
    for event in events:
        told.sees(read_payload(event), event.site)
    assert {key: dict(lot.counts) for key, lot in told.lots[SITE].items()} == before
    assert sum(before[key][VialStatus.USED] for key in before) == 6


def move(shop: Shop, moved: Moved) -> None:
    """As the pharmacist records it."""
    move_vials(shop.conduct, SITE, moved, shop.clock.at)


def count(shop: Shop, **differ: int) -> None:
    """As the pharmacist records it: ``_1_2=-1`` says that one vial of lot 1.2 was not found."""
    more = {name[1:].replace("_", "."): n for name, n in differ.items()}
    stood = {key: shop[key][VialStatus.IN_STOCK] for key in more}
    counted = {key: stood[key] + n for key, n in more.items()}
    count_vials(shop.conduct, SITE, counted, stood, "recount", "A. Roux", shop.clock.at)


class Pharmacy(RuleBasedStateMachine):
    """Any order of deliveries, doses, quarantine, decisions, returns, destruction, counts, corrections, failed steps
    and new starts, against a count kept beside it by hand.
    """

    def __init__(self) -> None:
        super().__init__()
        self.shop = Shop.opened(Path(mkdtemp()), 40)
        self.counted: dict[str, dict[VialStatus, int]] = {}  # key -> status -> vials
        self.of: dict[str, tuple[str, str]] = {}  # key -> product, expiry
        self.n_came: dict[str, int] = {}
        self.n_events = 0
        self.days: dict[str, int] = {}  # subject -> doses prepared

    @initialize(n=st.integers(1, 4))
    def first_delivery(self, n: int) -> None:
        self.delivered(n, n, 9, 8.0)

    @rule(n=st.integers(1, 4), m=st.integers(1, 4), days=st.integers(0, 12), warmest=st.sampled_from([8.0, 20.0]))
    def delivered(self, n: int, m: int, days: int, warmest: float) -> None:
        expires = (self.shop.clock.at.date() + timedelta(days=days)).isoformat()
        pair = lots(n, expires)[0], lots(m, expires)[1]
        self.shop.receive(*pair, warmest=warmest)
        self.n_events += 1
        for place, lot in enumerate(pair, start=1):
            key = f"{self.n_events}.{place}"
            first = "in quarantine" if lot.product == "cyt107" and warmest > 8 else "in stock"
            self.counted[key] = dict.fromkeys(VialStatus, 0) | {VialStatus(first): lot.n_vials}
            self.of[key], self.n_came[key] = (lot.product, expires), lot.n_vials

    @rule(
        which=st.integers(0, 99), n=st.integers(1, 3), rejected=st.booleans(),
        how=st.sampled_from(["set aside", "free", "bad", "back", "burn"]),
    )  # fmt: skip
    def moved(self, which: int, n: int, how: str, rejected: bool) -> None:
        key = list(self.counted)[which % len(self.counted)]
        come_from = "rejected" if rejected else "in stock"
        one: Moved = {
            "set aside": Quarantined(
                vials={key: n}, lowest_celsius=1, highest_celsius=9, minutes=30, reason="door left open"
            ),
            "free": Judged(vials={key: n}, is_released=True, decided_by="QP", reason="stable"),
            "bad": Judged(vials={key: n}, is_released=False, decided_by="QP", reason="not stable"),
            "back": Returned.model_validate(
                {"vials": {key: n}, "come_from": come_from, "recipient": "depot", "reference": "r"}
            ),
            "burn": Destroyed.model_validate(
                {"vials": {key: n}, "come_from": come_from, "witness": "w", "certificate": "c"}
            ),
        }[how]
        before, after = {
            "set aside": ("in stock", "in quarantine"), "free": ("in quarantine", "in stock"),
            "bad": ("in quarantine", "rejected"), "back": (come_from, "returned"), "burn": (come_from, "destroyed"),
        }[how]  # fmt: skip
        counts = self.counted[key]
        if counts[VialStatus(before)] < n:
            with pytest.raises(OutOfOrder):
                move(self.shop, one)
            return
        move(self.shop, one)
        self.n_events += 1
        counts[VialStatus(before)] -= n
        counts[VialStatus(after)] += n

    @rule(which=st.integers(0, 99), drawn=st.lists(st.integers(0, 30), min_size=1, max_size=2))
    def recounted(self, which: int, drawn: list[int]) -> None:
        """Any number from none to one too many to be believed."""
        keys = list(self.counted)
        of = {keys[(which + place) % len(keys)]: n for place, n in enumerate(drawn)}
        stood = {key: self.counted[key][VialStatus.IN_STOCK] for key in of}
        most = {key: stood[key] + self.counted[key][VialStatus.MISSING] + self.n_came[key] for key in of}
        lies = {key: n % (most[key] + 2) for key, n in of.items()}
        args = (self.shop.conduct, SITE, lies, stood, "recount", "w", self.shop.clock.at)
        if any(lies[key] > most[key] for key in of):
            with pytest.raises(OutOfOrder, match="can't have been counted"):
                count_vials(*args)
            return
        count_vials(*args)
        self.n_events += 1
        for key in of:
            counts, n = self.counted[key], lies[key] - stood[key]
            self.n_came[key] += max(0, n - counts[VialStatus.MISSING])
            counts[VialStatus.IN_STOCK] = lies[key]
            counts[VialStatus.MISSING] = max(0, counts[VialStatus.MISSING] - n)

    @rule()
    def dosed_first(self) -> None:
        if len(self.days) < 12:
            subject = self.shop.enrolled()
            found = {"platelets": Result(value=90_000.0, unit="cells/µL")}
            record_visit(self.shop.conduct, subject, "day 1", found, self.shop.clock.at, with_masked=False)
            self.days[subject] = 0
            self.dose(subject)

    @rule(which=st.integers(0, 99))
    def dosed_on(self, which: int) -> None:
        if self.days:
            self.dose(list(self.days)[which % len(self.days)])

    def dose(self, subject: str) -> None:
        shop, planned = self.shop, self.shop.file.protocol.dosing_days
        day = planned[self.days[subject] % len(planned)]
        today = shop.clock.at.astimezone(PARIS).date().isoformat()
        shelf = {
            product: sorted(
                (self.of[key][1], float(key), key)
                for key, counts in self.counted.items()
                if self.of[key] >= (product, today) and self.of[key][0] == product and counts[VialStatus.IN_STOCK]
            )
            for product in ("cyt107", "placebo")
        }
        try:
            kit = shop.dispensed(subject, day)
        except OutOfStock:
            assert not all(shelf.values())
            return
        except OutOfOrder:  # the dose's days are over, or it was prepared
            self.days[subject] += 1
            return
        assert all(shelf.values())
        self.days[subject] += 1
        counts = self.counted[shelf[shop.vault.contents(kit)][0][2]]
        counts[VialStatus.IN_STOCK] -= 1
        counts[VialStatus.USED] += 1

    @rule(days=st.integers(1, 4))
    def time_passes(self, days: int) -> None:
        self.shop.clock.move_to(self.shop.clock.at + timedelta(days=days))

    @rule()
    def started_anew(self) -> None:
        self.shop.again()

    @rule()
    def a_step_fails(self) -> None:
        """It had received, moved, counted and dispensed; nothing of it is left, not in the vault either."""
        shop = self.shop
        shop.conduct.commit()
        said = (len(list(shop.ledger.events())), dict(shop.vault._contents), dict(shop.vault._vials))
        shop.receive(*lots(50))
        shop.dispensed(shop.enrolled())
        move(shop, Returned(vials={f"{self.n_events + 1}.1": 2}, come_from="in stock", recipient="d", reference="r"))
        stood = {key: lot[VialStatus.IN_STOCK] for key, lot in shop.stock.lots[SITE].items()}
        count_vials(shop.conduct, SITE, {key: n + 1 for key, n in stood.items()}, stood, "r", "w", shop.clock.at)
        shop.conduct.abandon()
        assert (len(list(shop.ledger.events())), shop.vault._contents, shop.vault._vials) == said

    @precondition(lambda self: self.days)
    @rule()
    def a_visit_is_corrected(self) -> None:
        """The subject is followed anew; the stock is not counted twice."""
        shop, subject = self.shop, next(iter(self.days))
        shop.conduct.commit()
        held = [event for event in shop.ledger.events_of(subject) if event.type == "VisitHeld"]
        now = shop.conduct.followed.corrections.read(held[0])
        said = now.results["platelets"].model_dump(exclude_none=True)  # type: ignore[attr-defined]
        said = {name: value for name, value in said.items() if name != "entered"}
        after = said | {"value": said["value"] + 1000.0}
        correct_event(
            shop.conduct,
            subject,
            Corrected(of=held[0].sequence, field="results.platelets", before=said, after=after, reason="misread"),
            shop.clock.at,
        )

    @invariant()
    def every_vial_stands_where_it_was_counted(self) -> None:
        found: Mapping[str, StockedLot] = self.shop.stock.lots.get(SITE, {})
        assert {key: one.counts for key, one in found.items()} == self.counted
        for key, one in found.items():
            assert one.n_received == self.n_came[key] == sum(one.counts.values())
            assert min(one.counts.values()) >= 0

    def teardown(self) -> None:
        """The log alone adds up to what every lot received and lacks."""
        self.shop.conduct.commit()
        said: Counter[tuple[str, str]] = Counter()
        for one in accountability(self.shop.conduct, SITE):
            said[one.lot, one.what] += one.n_vials or 0
        for key, counts in self.counted.items():
            assert said[key, "received"] + said[key, "receipt corrected"] == self.n_came[key]
            assert said[key, "missing"] - said[key, "found"] == counts[VialStatus.MISSING]
            assert said[key, "dispensed"] == counts[VialStatus.USED]
        self.shop.ledger.close()


Pharmacy.TestCase.settings = settings(
    max_examples=20, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
)
TestStock = Pharmacy.TestCase


def test_a_dose_opens_as_many_vials_as_its_volume_needs() -> None:
    """One vial of 1 mL for 0.35 mL, three for 2.01 mL; a saline ampoule of 10 mL is enough for either."""
    protocol = load("iris-7").protocol
    assert vials_for(protocol, 1, 0.35) == {"cyt107": 1, "placebo": 1}
    assert vials_for(protocol, 1, 2.01) == {"cyt107": 3, "placebo": 1}
    assert vials_for(protocol, 1, 1.0)["cyt107"] == 1
    bare = {name: one.model_copy(update={"vial": None}) for name, one in protocol.products.items()}
    assert vials_for(protocol.model_copy(update={"products": bare}), 1, 0.35) == {}
