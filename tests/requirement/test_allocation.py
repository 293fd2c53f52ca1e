"""Allocation: the list, the places, the kits and the commitment."""

import dataclasses
import hashlib
import json
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from itertools import permutations
from pathlib import Path
from typing import final

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

from requirement.conftest import Run
from requirement.scripted import AT, SUPPLY, Desk, screening
from sevenfold.cli import main
from sevenfold.edge.supply import supply_of
from sevenfold.errors import InvalidDesign, InvalidInput, OutOfOrder
from sevenfold.protocol.load import load
from sevenfold.record.payloads import Randomised
from sevenfold.trial.closing import unblind_trial
from sevenfold.trial.enrolling import randomise_subject, record_consent, screen_candidate
from sevenfold.vault.supply import Supply
from sevenfold.vault.vault import Vault

ALMOST_NEVER = 1e-5  # how rarely a true claim about chance would fail here with other secrets
N_SECRETS = 240


def secret(number: int) -> bytes:
    """One of many secrets."""
    return hashlib.sha256(f"secret {number}".encode()).digest()


def small(supply: Supply, **changed: object) -> Supply:
    """A supply with something changed."""
    return dataclasses.replace(supply, **changed)  # type: ignore[arg-type]


def lists(supply: Supply, key: bytes) -> dict[str, list[str]]:
    """The lists that a secret gives, as they are revealed at the end."""
    with tempfile.TemporaryDirectory() as folder:
        revealed = Vault.create(Path(folder) / "vault.db", supply, key).reveal(is_locked=True)
    return {stratum: list(arms) for stratum, arms in revealed.allocation_list.items()}


def is_made_of_blocks(arms: Sequence[str], ratio: Sequence[str], repeats: Sequence[int]) -> bool:
    """Whether a list can be cut into blocks that each hold the ratio, one of ``repeats`` times; the last may be cut."""
    whole = Counter(ratio)
    reachable = {0}
    for start in range(len(arms)):
        if start not in reachable:
            continue
        for times in repeats:
            block = Counter(arms[start : start + times * len(ratio)])
            if start + times * len(ratio) <= len(arms):
                if block == Counter({arm: count * times for arm, count in whole.items()}):
                    reachable.add(start + times * len(ratio))
            elif all(count <= whole[arm] * times for arm, count in block.items()):
                return True
    return len(arms) in reachable


def worst_imbalance(arms: Sequence[str], ratio: Sequence[str]) -> float:
    """The largest difference between two arms, each over its share of the ratio, at any stop."""
    whole, seen, worst = Counter(ratio), Counter[str](), 0.0
    for arm in arms:
        seen[arm] += 1
        shares = [seen[one] / whole[one] for one in whole]
        worst = max(worst, max(shares) - min(shares))
    return worst


@st.composite
def schemes(draw: st.DrawFn) -> Supply:
    """Supplies of every shape: two to four arms, any small ratio, blocks of one to three times the ratio."""
    counts = draw(st.lists(st.integers(1, 3), min_size=2, max_size=4))
    arms = [f"arm {number}" for number in range(len(counts))]
    return Supply(
        ratio=tuple(arm for arm, count in zip(arms, counts, strict=True) for _ in range(count)),
        block_repeats=tuple(draw(st.lists(st.integers(1, 3), min_size=1, max_size=3, unique=True))),
        strata=tuple(f"stratum {number}" for number in range(draw(st.integers(1, 3)))),
        n_planned=draw(st.integers(1, 40)),
        products={arm: {1: "drug" if number else "water"} for number, arm in enumerate(arms)},
        placebo_of={"drug": "water"},
    )


@settings(max_examples=60, deadline=None)
@given(supply=schemes(), key=st.binary(min_size=32, max_size=32))
@pytest.mark.requirement("ALLOC-1")
@pytest.mark.requirement("ALLOC-2")
def test_every_block_holds_the_ratio_and_no_stop_finds_more_imbalance_than_a_block(supply: Supply, key: bytes) -> None:
    """For any design: a block may bring all of one arm first, which is as far apart as arms can be."""
    for arms in lists(supply, key).values():
        assert len(arms) == supply.n_planned
        assert is_made_of_blocks(arms, supply.ratio, supply.block_repeats)
        assert worst_imbalance(arms, supply.ratio) <= max(supply.block_repeats) + 1e-12


@pytest.mark.parametrize("name", ["iris-7", "iris-7c"])
@pytest.mark.requirement("ALLOC-1")
def test_the_vault_is_told_what_the_protocol_says(name: str) -> None:
    """Arms, ratio, block lengths, strata and products, copied from the protocol by hand."""
    assert supply_of(load(name)) == SUPPLY[name]


@pytest.mark.requirement("ALLOC-1")
@pytest.mark.requirement("ALLOC-2")
@pytest.mark.requirement("ALLOC-16")
def test_subjects_of_a_run_follow_their_stratum_s_list_from_its_top(open_runs: tuple[Run, ...]) -> None:
    """Read from the exported subjects and the list revealed at the end, which is what a statistician is handed."""
    for run in open_runs:
        revealed = run.events[-1]["payload"]["allocation_list"]
        ratio, repeats = SUPPLY[run.name].ratio, SUPPLY[run.name].block_repeats
        randomised = [row for row in run.table("subjects") if row["randomisation_number"]]
        assert len(randomised) == 12
        for stratum, arms in revealed.items():
            rows = sorted((r for r in randomised if r["stratum"] == stratum), key=lambda r: r["randomisation_number"])
            assert [row["arm"] for row in rows] == arms[: len(rows)]
            assert [int(row["randomisation_number"].split("-")[1]) for row in rows] == [*range(1, len(rows) + 1)]
            assert [row["randomised_at"] for row in rows] == sorted(row["randomised_at"] for row in rows)
            assert {row["country"] for row in rows} <= {stratum}
            assert is_made_of_blocks(arms, ratio, repeats)
            assert worst_imbalance([row["arm"] for row in rows], ratio) <= max(repeats)


@cache
def two_lists(n: int) -> tuple[dict[str, list[str]], ...]:
    """IRIS-7's lists of ``n`` places from many secrets."""
    supply = small(SUPPLY["iris-7"], n_planned=n)
    return tuple(lists(supply, secret(number)) for number in range(N_SECRETS))


@pytest.mark.requirement("ALLOC-3")
def test_the_list_of_one_stratum_says_nothing_about_the_other() -> None:
    """Chi-squared test of independence, place by place, over many secrets; and the lists are not copies."""
    both = two_lists(9)
    arms = ("placebo", "low", "high")
    p_values = []
    for a in range(9):
        for b in (a, (a + 1) % 9):
            counts = np.zeros((3, 3))
            for one in both:
                counts[arms.index(one["France"][a]), arms.index(one["United States"][b])] += 1
            p_values.append(float(stats.chi2_contingency(counts).pvalue))
    assert min(p_values) > ALMOST_NEVER
    assert stats.combine_pvalues(p_values[::2]).pvalue > ALMOST_NEVER
    n_alike = sum(one["France"] == one["United States"] for one in both)
    assert n_alike <= 2  # a list of nine has hundreds of equally likely orders


@pytest.mark.requirement("ALLOC-6")
def test_every_arm_has_its_share_of_every_place() -> None:
    """A third each at every place of either list: chi-squared over many secrets."""
    for stratum in SUPPLY["iris-7"].strata:
        for place in range(9):
            seen = Counter(one[stratum][place] for one in two_lists(9))
            counts = [seen[arm] for arm in ("placebo", "low", "high")]
            assert stats.chisquare(counts).pvalue > ALMOST_NEVER


@pytest.mark.requirement("ALLOC-6")
def test_every_order_of_a_block_is_equally_likely() -> None:
    """Six orders of a block of three; and where two lengths are allowed both occur, so that its end can't be told."""
    supply = small(SUPPLY["iris-7"], n_planned=3, block_repeats=(1,), strata=("all",))
    seen = Counter(tuple(lists(supply, secret(number))["all"]) for number in range(N_SECRETS))
    counts = [seen[order] for order in permutations(("placebo", "low", "high"))]
    assert sum(counts) == N_SECRETS
    assert stats.chisquare(counts).pvalue > ALMOST_NEVER
    long_ones = sum(
        not is_made_of_blocks(one[stratum], SUPPLY["iris-7"].ratio, (1,))
        for one in two_lists(9)
        for stratum in SUPPLY["iris-7"].strata
    )
    assert 0.25 * 2 * N_SECRETS < long_ones < 0.95 * 2 * N_SECRETS


@pytest.mark.requirement("ALLOC-4")
def test_another_secret_gives_another_list_other_kits_and_another_commitment(tmp_path: Path) -> None:
    """One bit is enough; and two lists that happen to be alike are still committed to by different hashes."""
    supply = SUPPLY["iris-7"]
    first = bytes(32)
    others = [bytes(byte) + bytes([1 << bit]) + bytes(31 - byte) for byte in (0, 13, 31) for bit in (0, 7)]
    vaults = [Vault.create(tmp_path / f"{n}.db", supply, key) for n, key in enumerate([first, *others])]
    shown = [json.dumps(dict(vault.reveal(is_locked=True).allocation_list)) for vault in vaults]
    assert len(set(shown)) == len(vaults)
    kits = []
    for vault in vaults:
        number = vault.allocate("France")
        kits.append(tuple(vault.dispense(number, day) for day in (1, 4, 8)))
    assert len(set(kits)) == len(vaults)
    tiny = small(supply, n_planned=1, strata=("all",))
    twins = [Vault.create(tmp_path / f"tiny {n}.db", tiny, secret(n)) for n in range(12)]
    assert len({json.dumps(dict(t.reveal(is_locked=True).allocation_list)) for t in twins}) <= 3
    assert len({t.commitment for t in twins}) == 12


@pytest.mark.requirement("ALLOC-5")
def test_the_same_secret_gives_the_same_list_kits_and_commitment(tmp_path: Path) -> None:
    """So that an allocation can be drawn again in front of an auditor."""
    a, b = (Vault.create(tmp_path / f"{name}.db", SUPPLY["iris-7"], secret(0)) for name in "ab")
    assert a.reveal(is_locked=True) == b.reveal(is_locked=True)
    assert a.commitment == b.commitment
    for vault_pair in [(a, b)] * 3:
        numbers = [vault.allocate("United States") for vault in vault_pair]
        assert numbers[0] == numbers[1]
        assert (
            len({tuple(v.dispense(n, day) for day in (1, 25)) for v, n in zip(vault_pair, numbers, strict=True)}) == 1
        )
    assert (tmp_path / "a.db").read_bytes() == (tmp_path / "b.db").read_bytes()


@pytest.mark.requirement("ALLOC-5")
def test_a_vault_is_never_overwritten_nor_made_from_a_short_secret(tmp_path: Path) -> None:
    """A second drawing over the first would leave two lists and one commitment."""
    Vault.create(tmp_path / "vault.db", SUPPLY["iris-7"], secret(0))
    before = (tmp_path / "vault.db").read_bytes()
    with pytest.raises(InvalidInput):
        Vault.create(tmp_path / "vault.db", SUPPLY["iris-7"], secret(1))
    assert (tmp_path / "vault.db").read_bytes() == before
    with pytest.raises(InvalidInput):
        Vault.create(tmp_path / "other.db", SUPPLY["iris-7"], b"short")


@final
@dataclass(frozen=True, slots=True)
class Handed:
    """Kits in the order in which they were handed out, with what they hold."""

    number: NDArray[np.int64]
    is_active: NDArray[np.bool_]
    day: NDArray[np.int64]
    place: NDArray[np.int64]
    texts: tuple[str, ...]


@cache
def handed(number: int) -> Handed:
    """Every kit of IRIS-7 for eight places, from one of many secrets."""
    supply = small(SUPPLY["iris-7"], n_planned=8, strata=("all",))
    rows: list[tuple[int, bool, int, int, str]] = []
    with tempfile.TemporaryDirectory() as folder:
        vault = Vault.create(Path(folder) / "vault.db", supply, secret(number))
        for place in range(supply.n_planned):
            subject = vault.allocate("all")
            for day in supply.products["high"]:
                kit = vault.dispense(subject, day)
                rows.append((int(kit), vault.contents(kit) == "cyt107", day, place, kit))
    numbers, active, days, places, texts = zip(*rows, strict=True)
    return Handed(np.array(numbers), np.array(active), np.array(days), np.array(places), texts)


def pooled(z_values: Iterator[float]) -> float:
    """Independent standard normal numbers as one."""
    values = list(z_values)
    return float(np.sum(values) / np.sqrt(len(values)))


def ranked_apart(values: NDArray[np.int64], members: NDArray[np.bool_]) -> float:
    """The rank sum of one group against the other, standardised (no ties)."""
    n, m = int(members.sum()), int((~members).sum())
    w = float(stats.rankdata(values)[members].sum())
    return (w - n * (n + m + 1) / 2.0) / float(np.sqrt(n * m * (n + m + 1) / 12.0))


@pytest.mark.requirement("ALLOC-8")
def test_kit_numbers_are_ranked_alike_whatever_the_kits_hold() -> None:
    """Wilcoxon's rank sums of active against placebo kits, pooled over many secrets; their size is that of chance."""
    limit = float(stats.norm.isf(ALMOST_NEVER / 2))
    kits = [handed(number) for number in range(N_SECRETS)]
    assert abs(pooled(ranked_apart(one.number, one.is_active) for one in kits)) < limit
    spread = float(np.mean([abs(ranked_apart(one.number, one.is_active)) for one in kits]))
    assert spread == pytest.approx(np.sqrt(2 / np.pi), abs=limit * np.sqrt((1 - 2 / np.pi) / N_SECRETS))


@pytest.mark.requirement("ALLOC-8")
def test_neighbouring_kit_numbers_hold_the_same_product_no_more_often_than_by_chance() -> None:
    """In order of number, how often the product changes: as under a random order, pooled over many secrets."""
    limit = float(stats.norm.isf(ALMOST_NEVER / 2))

    def runs(one: Handed) -> float:
        active = one.is_active[np.argsort(one.number)]
        n, m = int(active.sum()), int((~active).sum())
        n_runs = 1 + int((active[1:] != active[:-1]).sum())
        mean = 1 + 2 * n * m / (n + m)
        variance = (mean - 1) * (mean - 2) / (n + m - 1)
        return (n_runs - mean) / float(np.sqrt(variance))

    assert abs(pooled(runs(handed(number)) for number in range(N_SECRETS))) < limit


@pytest.mark.requirement("ALLOC-8")
def test_no_digit_of_a_kit_number_depends_on_what_it_holds() -> None:
    """Chi-squared test of every digit, the check digit among them, over many secrets."""
    for position in range(7):
        counts = np.zeros((2, 10))
        for number in range(N_SECRETS):
            one = handed(number)
            for text, active in zip(one.texts, one.is_active, strict=True):
                counts[int(active), int(text[position])] += 1
        seen = counts[:, counts.sum(axis=0) > 0]
        assert stats.chi2_contingency(seen).pvalue > ALMOST_NEVER


@pytest.mark.requirement("ALLOC-8")
def test_kit_numbers_show_no_order_of_days_places_or_handing_out() -> None:
    """Spearman's correlation with the order of handing out, the study day and the place, pooled over many secrets."""
    limit = float(stats.norm.isf(ALMOST_NEVER / 2))

    def correlation(one: Handed, other: NDArray[np.int64]) -> float:
        return float(stats.spearmanr(one.number, other).statistic) * float(np.sqrt(len(other) - 1))

    kits = [handed(number) for number in range(N_SECRETS)]
    assert abs(pooled(correlation(one, np.arange(len(one.number))) for one in kits)) < limit
    assert abs(pooled(correlation(one, one.day) for one in kits)) < limit
    assert abs(pooled(correlation(one, one.place) for one in kits)) < limit


def luhn(text: str) -> bool:
    """Whether the last digit is the check digit of those before it."""
    digits = [int(digit) for digit in reversed(text)]
    doubled = [2 * digit - 9 if digit > 4 else 2 * digit for digit in digits[1::2]]
    return (sum(digits[::2]) + sum(doubled)) % 10 == 0


@pytest.mark.requirement("ALLOC-8")
def test_kit_numbers_are_distinct_and_a_misread_digit_is_noticed() -> None:
    """Seven digits with a check digit; exchanging one digit never gives another valid number."""
    for number in range(20):
        texts = handed(number).texts
        assert len(set(texts)) == len(texts)
        assert all(len(text) == 7 and luhn(text) for text in texts)
    text = handed(0).texts[0]
    for position in range(7):
        for digit in set("0123456789") - {text[position]}:
            assert not luhn(text[:position] + digit + text[position + 1 :])


@pytest.mark.requirement("ALLOC-7")
@pytest.mark.requirement("ALLOC-8")
def test_numbers_stay_as_they_are_when_the_arms_are_exchanged(tmp_path: Path) -> None:
    """The same secret with placebo and high exchanged in the ratio: other contents, the same numbers."""
    supply = SUPPLY["iris-7"]
    turned = small(supply, ratio=tuple({"placebo": "high", "high": "placebo"}.get(arm, arm) for arm in supply.ratio))
    a = Vault.create(tmp_path / "a.db", supply, secret(3))
    b = Vault.create(tmp_path / "b.db", turned, secret(3))
    contents = []
    for stratum in supply.strata * 9:
        numbers = a.allocate(stratum), b.allocate(stratum)
        assert numbers[0] == numbers[1]
        for day in supply.products["high"]:
            kits = a.dispense(numbers[0], day), b.dispense(numbers[1], day)
            assert kits[0] == kits[1]
            contents.append((a.contents(kits[0]), b.contents(kits[1])))
    assert ("cyt107", "placebo") in contents
    assert ("placebo", "cyt107") in contents


@pytest.mark.requirement("ALLOC-7")
def test_randomisation_numbers_are_the_same_whatever_the_secret(tmp_path: Path) -> None:
    """They count the places of a stratum, and so can tell nothing else."""
    seen = set()
    for number in range(8):
        vault = Vault.create(tmp_path / f"{number}.db", SUPPLY["iris-7"], secret(number))
        seen.add(tuple(vault.allocate(stratum) for stratum in ("France", "France", "United States", "France")))
    assert len(seen) == 1
    first, second, elsewhere, third = seen.pop()
    assert [first[-3:], second[-3:], third[-3:], elsewhere[-3:]] == ["001", "002", "003", "001"]
    assert first[0] != elsewhere[0]


@pytest.mark.requirement("ALLOC-9")
@pytest.mark.requirement("ALLOC-10")
def test_each_place_is_used_once_and_a_list_that_is_used_up_is_refused(tmp_path: Path) -> None:
    """In whatever order the strata ask."""
    supply = small(SUPPLY["iris-7"], n_planned=5)
    vault = Vault.create(tmp_path / "vault.db", supply, secret(0))
    numbers = [vault.allocate(stratum) for stratum in (*supply.strata, "France", *supply.strata * 3, "United States")]
    assert len(set(numbers)) == len(numbers) == 10
    for stratum in supply.strata:
        with pytest.raises(InvalidDesign, match="used up"):
            vault.allocate(stratum)
    revealed = vault.reveal(is_locked=True)
    taken = [arm for _, arm in sorted(revealed.assignments.items())]
    assert taken == [arm for stratum in supply.strata for arm in revealed.allocation_list[stratum]]


@pytest.mark.requirement("ALLOC-10")
def test_a_stratum_that_is_not_of_the_trial_is_refused(tmp_path: Path) -> None:
    """And takes no place of another."""
    vault = Vault.create(tmp_path / "vault.db", SUPPLY["iris-7"], secret(0))
    with pytest.raises(InvalidDesign, match="Spain"):
        vault.allocate("Spain")
    assert vault.reveal(is_locked=True).assignments == {}


@pytest.mark.requirement("ALLOC-11")
def test_no_subject_is_randomised_beyond_the_planned_number(open_desk: Callable[..., Desk]) -> None:
    """Though each stratum's list has places left for all of them."""
    trial = open_desk(3)
    for subject in ("FR-1-001", "US-1-001", "FR-1-002"):
        trial.randomised(subject)
    trial.consented("US-1-002")
    with pytest.raises(OutOfOrder, match="planned"):
        randomise_subject(trial.conduct, "US-1-002", AT)
    assert trial.conduct.n_randomised == 3
    assert len(trial.vault.reveal(is_locked=True).assignments) == 3


@pytest.mark.requirement("ALLOC-11")
def test_a_run_randomises_exactly_as_many_as_planned(open_runs: tuple[Run, ...]) -> None:
    """Although several sites enrol at once."""
    for run in open_runs:
        randomised = [event for event in run.events if event["type"] == "Randomised"]
        assert len(randomised) == run.events[0]["payload"]["planned"] == 12
        assert len({event["subject"] for event in randomised}) == 12
        assert len({event["payload"]["number"] for event in randomised}) == 12


@pytest.mark.requirement("ALLOC-12")
def test_a_second_randomisation_of_a_subject_is_refused_and_takes_no_place(open_desk: Callable[..., Desk]) -> None:
    """Whoever asks, and by whichever way."""
    trial = open_desk()
    trial.randomised()
    with pytest.raises(OutOfOrder, match="already"):
        randomise_subject(trial.conduct, "FR-1-001", AT)
    with pytest.raises(OutOfOrder, match="already"):
        trial.conduct.record("FR-1-001", Randomised(number="A-002", stratum="France"), "investigator", AT)
    assert dict(trial.vault.reveal(is_locked=True).assignments).keys() == {"A-001"}
    assert trial.randomised("FR-1-002")
    assert dict(trial.vault.reveal(is_locked=True).assignments).keys() == {"A-001", "A-002"}


@pytest.mark.requirement("ALLOC-13")
def test_nobody_is_randomised_without_eligibility_and_consent(open_desk: Callable[..., Desk]) -> None:
    """Never screened, not eligible, not asked, or said no: refused, and no place is taken."""
    trial = open_desk()
    conduct = trial.conduct
    screen_candidate(conduct, "FR-1-001", "FR-1", screening(AT, age=80.0))
    trial.screened("FR-1-002")
    trial.screened("FR-1-003")
    record_consent(conduct, "FR-1-003", None, AT)
    with pytest.raises(OutOfOrder, match=r"not eligible|over"):
        record_consent(conduct, "FR-1-001", "patient", AT)
    for subject in ("FR-1-001", "FR-1-002", "FR-1-003"):
        with pytest.raises(OutOfOrder):
            randomise_subject(conduct, subject, AT)
    with pytest.raises((OutOfOrder, KeyError)):
        randomise_subject(conduct, "FR-1-004", AT)
    assert conduct.n_randomised == 0
    assert trial.vault.reveal(is_locked=True).assignments == {}


@pytest.mark.parametrize(
    ("name", "changed"),
    [
        ("iris-7", {"age": 17.9}),
        ("iris-7", {"age": 80.0}),
        ("iris-7", {"hours_since_icu_admission": 47.9}),
        ("iris-7", {"hours_since_icu_admission": 120.1}),
        ("iris-7", {"sirs_criteria": 1.0}),
        ("iris-7", {"sofa_worst_organ_at_entry": 1.0}),
        ("iris-7", {"fluid_24h": 19.9}),
        ("iris-7", {"alc": 901.0}),
        ("iris-7", {"pregnant_or_lactating": 1.0}),
        ("iris-7c", {"age": 85.1}),
        ("iris-7c", {"alc": 901.0}),
        ("iris-7c", {"hours_since_sepsis_diagnosis": 47.0}),
        ("iris-7c", {"moribund_or_care_withdrawn": 1.0}),
    ],
)
@pytest.mark.requirement("ALLOC-13")
def test_a_candidate_just_outside_one_criterion_is_kept_out(
    open_desk: Callable[..., Desk], name: str, changed: dict[str, float]
) -> None:
    """The limits as the protocols print them; the same candidate without the change is let in."""
    known = screening(AT)
    facts = {key: bool(value) for key, value in changed.items() if key in known.facts}
    numbers = {key: value for key, value in changed.items() if key in known.numbers}
    counts = known.laboratory["alc"]
    if "alc" in changed:
        counts = (counts[0], dataclasses.replace(counts[1], value=changed["alc"]))
    other = dataclasses.replace(
        known, facts={**known.facts, **facts}, numbers={**known.numbers, **numbers}, laboratory={"alc": counts}
    )
    trial = open_desk(4, name)
    assert screen_candidate(trial.conduct, "FR-1-001", "FR-1", other)
    assert not screen_candidate(trial.conduct, "FR-1-002", "FR-1", known)
    with pytest.raises(OutOfOrder):
        record_consent(trial.conduct, "FR-1-001", "patient", AT)


def committed_by_hand(nonce: str, allocation: dict[str, list[str]]) -> str:
    """The commitment as anybody can work it out: SHA-256 of a few words, the nonce and the lists as JSON."""
    said = ["sevenfold allocation", 1, nonce, allocation]
    return hashlib.sha256(
        json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    ).hexdigest()


@pytest.mark.requirement("ALLOC-14")
def test_the_commitment_is_the_first_thing_recorded_and_matches_the_list_revealed(open_runs: tuple[Run, ...]) -> None:
    """Recomputed with a hash function and nothing of ours."""
    for run in open_runs:
        first, last = run.events[0], run.events[-1]
        assert (first["type"], last["type"]) == ("TrialOpened", "Unblinded")
        said = last["payload"]
        assert (
            committed_by_hand(said["commitment_nonce"], said["allocation_list"])
            == (first["payload"]["allocation_commitment"])
        )
        assert len(said["commitment_nonce"]) >= 64  # the list can't be guessed from its hash


FORGERIES: dict[str, Callable[[dict[str, list[str]]], dict[str, list[str]]]] = {
    "two places exchanged": lambda a: {**a, "France": [a["France"][k] for k in swapped_places(a["France"])]},
    "one arm changed": lambda a: {
        **a, "France": [*a["France"][:-1], next(x for x in ("high", "low", "placebo") if x != a["France"][-1])]
    },
    "a place cut": lambda a: {**a, "France": a["France"][:-1]},
    "a place added": lambda a: {**a, "France": [*a["France"], "high"]},
    "a stratum renamed": lambda a: {"Spain": a["France"], "United States": a["United States"]},
    "a stratum left out": lambda a: {"France": a["France"]},
    "strata exchanged": lambda a: {"France": a["United States"], "United States": a["France"]},
}  # fmt: skip


def swapped_places(arms: list[str]) -> list[int]:
    """The order of places with the first exchanged for the first of another arm."""
    other = next(k for k, arm in enumerate(arms) if arm != arms[0])
    order = list(range(len(arms)))
    order[0], order[other] = other, 0
    return order


@pytest.mark.parametrize("how", [*FORGERIES, "another nonce", "nothing"])
@pytest.mark.requirement("ALLOC-15")
def test_any_change_of_the_list_is_found_even_if_the_forger_holds_the_signing_key(
    open_desk: Callable[..., Desk], capsys: pytest.CaptureFixture[str], how: str
) -> None:
    """The list is exchanged before it is recorded and signed, so that the chain itself is sound."""
    trial = open_desk(9)
    trial.randomised()
    trial.locked()
    shown = trial.vault.reveal(is_locked=True)
    honest = {stratum: list(arms) for stratum, arms in shown.allocation_list.items()}
    told = FORGERIES[how](honest) if how in FORGERIES else honest
    nonce = "ab" * 32 if how == "another nonce" else shown.nonce
    unblind_trial(trial.conduct, shown.assignments, told, nonce, shown.results_key, AT + timedelta(days=200))
    code = main(["verify", str(trial.closed())])
    said = capsys.readouterr().out
    if how == "nothing":
        assert code == 0
        assert "is the one committed to" in said
    else:
        assert told != honest or nonce != shown.nonce
        assert code == 2
        assert "not the one that was committed to" in said
