"""Recording what a file says that is new, and asking about what it says otherwise: one step, whole or not at all."""

import secrets
import threading
from dataclasses import dataclass, field
from typing import Final, final

from sevenfold.errors import InvalidInput
from sevenfold.record.payloads import LabFileImported
from sevenfold.record.sealed import place_of_file
from sevenfold.service.importing.plan import Plan, State, correction_of, question
from sevenfold.service.importing.planning import plan_of
from sevenfold.service.importing.reading import Upload
from sevenfold.service.people.person import Person
from sevenfold.service.room import Room
from sevenfold.trial.conduct import Conduct
from sevenfold.trial.correcting import correct_event
from sevenfold.trial.reacting import ask
from sevenfold.trial.sealed_queries import ask_sealed
from sevenfold.trial.visiting import receive_masked

__all__ = ["Uploads", "record_plan"]

_KEPT_FOR_S: Final = 30 * 60.0


@final
@dataclass(slots=True)
class Uploads:
    """Files that somebody has sent and not confirmed yet: one a person, in memory alone, for half an hour."""

    _of: dict[str, tuple[Upload, float]] = field(default_factory=dict, repr=False)
    _one_at_a_time: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def keep(self, person: Person, upload: Upload, now_s: float) -> None:
        """Keep a file until it is confirmed; the one before is forgotten."""
        with self._one_at_a_time:
            self._of = {name: kept for name, kept in self._of.items() if now_s - kept[1] <= _KEPT_FOR_S}
            self._of[person.id] = (upload, now_s)

    def take(self, person: Person, now_s: float) -> Upload:
        """The file that a person confirms.

        Raises:
            InvalidInput: there is none any more.
        """
        with self._one_at_a_time:
            kept = self._of.pop(person.id, None)
        if kept is None or now_s - kept[1] > _KEPT_FOR_S:
            raise InvalidInput("The file is not here any more; send it again.")
        return kept[0]


def record_plan(room: Room, person: Person, upload: Upload, digest: str) -> Plan:
    """Record what somebody has seen and confirmed. Where nothing is new, nothing is recorded.

    Args:
        digest: of the plan that was seen.

    Raises:
        InvalidInput: the record has changed since, so that the file would do something else.
    """
    with room.step(person) as conduct:
        plan = plan_of(room, person, upload)
        if not secrets.compare_digest(plan.digest.encode(), digest.encode()):
            raise InvalidInput("The record has changed since this was shown; send the file again and look.")
        new, differing = plan.of(State.NEW), plan.of(State.DIFFERS)
        if new or differing:
            _record_masked(conduct, room, person, plan) if plan.holds_masked else _record_open(
                conduct, room, person, plan
            )
            conduct.say_of_trial(_account(conduct, plan), person.role.value, room.here_and_now(person), person.site)
    return plan


def _record_masked(conduct: Conduct, room: Room, person: Person, plan: Plan) -> None:
    for rows in plan.samples():
        results = {one.test: one.result for one in rows}
        receive_masked(conduct, rows[0].subject, rows[0].visit, results, rows[0].at)
    for one in plan.of(State.DIFFERS):
        assert one.recorded is not None
        now = room.here_and_now(person, one.subject)
        ask_sealed(conduct, one.subject, one.visit, one.test, one.recorded, one.result, now)


def _record_open(conduct: Conduct, room: Room, person: Person, plan: Plan) -> None:
    known = room.protocol.known_variables
    for one in plan.of(State.NEW):
        correct_event(conduct, one.subject, correction_of(one, plan.sha256), room.here_and_now(person, one.subject))
    for one in plan.of(State.DIFFERS):
        now = room.here_and_now(person, one.subject)
        ask(conduct, one.subject, one.about, question(known[one.test], one), now)


def _account(conduct: Conduct, plan: Plan) -> LabFileImported:
    said = LabFileImported(
        holds="masked" if plan.holds_masked else "open",
        sha256=None if plan.holds_masked else plan.sha256,
        sealed=None,
        n_rows=plan.n_rows,
        n_recorded=len(plan.of(State.NEW)),
        n_same=len(plan.of(State.SAME)) + len(plan.of(State.ASKED)),
        n_asked=len(plan.of(State.DIFFERS)),
        n_unreadable=len(plan.troubles),
    )
    if not plan.holds_masked:
        return said
    said = said.model_copy(update={"number": conduct.whole.n_masked_files + 1})
    sealed = conduct.allocator.seal(place_of_file(said), {"sha256": plan.sha256})
    return said.model_copy(update={"sealed": sealed})
