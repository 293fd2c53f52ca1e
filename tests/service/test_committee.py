"""The committee's reports and the dashboard, over a rehearsed trial in progress."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from served import SITE, Served, serve_new

from sevenfold.cli.demo import rehearse_halfway
from sevenfold.edge.keys import key_beside
from sevenfold.protocol.load import load
from sevenfold.record.history import read_history
from sevenfold.service.committee import closed_report, open_report
from sevenfold.service.dashboard import overdue_visits, safety_counts
from sevenfold.service.opening import make_folder, opened
from sevenfold.service.role import RIGHTS, Right, Role
from sevenfold.trial.subject import Disposition


@pytest.fixture(scope="module")
def under_way(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Half of a trial, as a demonstration has it."""
    folder = tmp_path_factory.mktemp("demo") / "trial"
    file = load("iris-7")
    rehearse_halfway(file, folder, make_folder(file, folder, key_beside(folder)), is_quiet=True)
    served = Served(opened(folder, key_beside(folder), is_demo=True), folder)
    yield served
    served.room.close()


def test_the_closed_report_counts_every_subject_once_under_the_vaults_letters(under_way: Served) -> None:
    """Held against the vault and the ledger; deaths, events and stops too."""
    room = under_way.room
    report = closed_report(room)
    assert report is not None
    letters = room.vault.letters()
    people = read_history(room.conduct.ledger.events()).randomised
    assert sorted(letters.values()) == ["A", "B", "C"]
    for counts in report.counts:
        (arm,) = [arm for arm, letter in letters.items() if letter == counts.label]
        mine = [one for one in people if room.vault.reveal_one(str(one.number)) == arm]
        assert counts.n == len(mine) == sum(counts.dispositions.values())
        assert counts.n_died == sum(one.ended == "died" for one in mine)
        row = report.events["Any adverse event"][counts.label]
        assert row.n_subjects == sum(bool(one.adverse_events) for one in mine)
    assert sum(counts.n for counts in report.counts) == len(people) == room.conduct.n_randomised


def test_masked_counts_are_drawn_by_arm_for_the_committee(under_way: Served) -> None:
    """What is sealed in the ledger is opened by the vault: values of later visits are there."""
    report = closed_report(under_way.room)
    assert report is not None
    (alc,) = [course for course in report.courses if course.title == "Absolute lymphocyte count"]
    assert len(alc.rows) > 3
    assert all(set(cells) <= {"A", "B", "C"} for cells in alc.rows.values())
    page = under_way.as_a(Role.IDMC_STATISTICIAN).get("/committee/closed")
    assert page.count("<svg") >= 4


def test_the_closed_report_names_no_arm_and_no_product(under_way: Served) -> None:
    """The letters follow from the vault's secret; the page says nothing of what they stand for."""
    protocol = under_way.room.protocol
    page = under_way.as_a(Role.SAFETY_REVIEWER).get("/committee/closed")
    content = page[page.index("<main") :]
    words = [arm.label for arm in protocol.arms] + [one.label for one in protocol.products.values()]
    for word in words:
        assert word.lower() not in content.lower()
    assert not re.search(r"\b(high|low|placebo)\b", content)


def test_only_those_behind_the_blind_open_the_closed_report(under_way: Served) -> None:
    """Every role is tried."""
    for role in Role:
        under_way.as_a(role).get("/committee/closed", 200 if Right.SEE_BY_ARM in RIGHTS[role] else 403)
    assert {role for role in Role if Right.SEE_BY_ARM in RIGHTS[role]} == {
        Role.SAFETY_REVIEWER,
        Role.IDMC_STATISTICIAN,
    }


def test_letters_differ_between_secrets_and_not_between_starts(under_way: Served, tmp_path: Path) -> None:
    """Else whoever has seen another trial could read them."""
    vault = under_way.room.vault
    found = set()
    for n in range(12):
        other = serve_new(tmp_path / f"trial-{n}")
        found.add(tuple(sorted(other.room.vault.letters().items())))
        other.room.close()
    assert len(found) > 1
    assert type(vault).reopened(vault.path, vault._secret).letters() == vault.letters()


def test_the_open_report_is_the_sum_of_the_arms(under_way: Served) -> None:
    """Pooled: every count is that of all arms together."""
    report, closed = open_report(under_way.room), closed_report(under_way.room)
    assert closed is not None
    for name in ("n", "n_dosed", "n_died", "n_serious", "n_stopped_dosing"):
        assert getattr(report.counts, name) == sum(getattr(counts, name) for counts in closed.counts)
    for term, (n, severe, serious) in report.events.items():
        rows = closed.events[term].values()
        assert (n, severe, serious) == tuple(
            sum(getattr(row, name) for row in rows) for name in ("n_subjects", "n_severe", "n_serious")
        )
    assert report.n_screened == report.counts.n + sum(
        one.number is None for one in under_way.room.conduct.standings.values()
    )
    assert "all arms together" in under_way.as_a(Role.SPONSOR).get("/committee/open")


def test_a_new_trial_has_reports_that_say_so(tmp_path: Path) -> None:
    """Nothing is divided by nobody."""
    served = serve_new(tmp_path / "trial")
    assert "Nobody is randomised yet" in served.as_a(Role.IDMC_STATISTICIAN).get("/committee/closed")
    assert "Nobody is randomised yet" in served.as_a(Role.SPONSOR).get("/committee/open")
    assert "0 of 27 subjects" in served.as_a(Role.SPONSOR).get("/progress")


def test_the_dashboard_counts_what_the_ledger_holds(under_way: Served) -> None:
    """Enrolment as a figure, safety over all arms; of a site's people, their own site's alone."""
    room = under_way.room
    page = under_way.as_a(Role.SPONSOR).get("/progress")
    assert "Enrolment over time" in page
    assert "expected to be screened" in page
    sponsor = next(one for one in room.accounts.people() if one.role is Role.SPONSOR)
    counts = safety_counts(room, sponsor)
    standings = room.conduct.standings.values()
    assert counts.n_events == sum(one.n_adverse_events for one in standings)
    assert counts.n_died == sum(one.disposition is Disposition.DIED for one in standings)
    under_way.as_a(Role.NURSE)
    nurse = next(one for one in room.accounts.people() if one.role is Role.NURSE and one.site == SITE)
    assert safety_counts(room, nurse).n_randomised < counts.n_randomised
    assert {one.subject[: len(SITE)] for one in overdue_visits(room, nurse)} <= {SITE}


def test_a_visit_is_overdue_once_its_window_is_over(under_way: Served) -> None:
    """Found by looking for every one whose last day lies behind today and of which nothing is recorded."""
    room = under_way.room
    monitor = under_way.as_a(Role.MONITOR)
    person = next(one for one in room.accounts.people() if one.role is Role.MONITOR)
    before = overdue_visits(room, person)
    standing = next(one for one in room.conduct.standings.values() if one.number is not None and not one.is_over)
    held = min(standing.visits, key=room.protocol.schedule.names.index)
    standing.visits.remove(held)
    try:
        found = {(one.subject, one.visit) for one in overdue_visits(room, person)}
        assert found - {(one.subject, one.visit) for one in before} == {(standing.subject, held)}
        assert f'<td>{held}</td><td class="n">' in monitor.get("/progress")
    finally:
        standing.visits.add(held)


def test_a_subjects_figure_has_its_visits_doses_and_events(under_way: Served) -> None:
    """As many signs as the record has entries; the description counts them."""
    room = under_way.room
    history = read_history(room.conduct.ledger.events())
    one = max(history.randomised, key=lambda one: len(one.adverse_events))
    page = under_way.as_a(Role.AUDITOR).get(f"/subjects/{one.subject}")
    drawn = page[page.index("<svg") : page.index("</svg>")]
    assert drawn.count('class="window"') == len(room.protocol.schedule.visits)
    assert drawn.count('cy="66"') == len(one.doses)
    assert f"Events: {len(one.adverse_events)}." in drawn
