"""The safety reviewer outside the trial team: looks at masked results and decides behind the blind.

What is decided is sealed whatever it is, so that nobody sees whether a rule held; the kits go on, with placebo in them
while the active product is withheld.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import final

from sevenfold.protocol.protocol import Protocol
from sevenfold.protocol.treatment import Action
from sevenfold.record.payloads import (
    FurtherMaskedResults,
    MaskedResults,
    Payload,
    Result,
    SafetyReviewed,
    SealedQueryAnswered,
)
from sevenfold.record.sealed import place_of_sealed
from sevenfold.rules.dosing import interruptions
from sevenfold.rules.monitoring import raised_by_results
from sevenfold.rules.visiting import implausible
from sevenfold.trial.ports import Allocator

__all__ = ["SafetyReviewer"]


@final
@dataclass(frozen=True, slots=True)
class _Sample:
    at: datetime
    results: dict[str, Result]


@final
@dataclass(slots=True)
class SafetyReviewer:
    """Knows the latest masked values of every subject; a hold lasts until a new value lifts it.

    What was sent of a subject before a start from where everything stood is read when it is first asked for.
    """

    allocator: Allocator
    _sent: dict[str, dict[str, list[_Sample]]] = field(default_factory=dict, repr=False)  # subject -> visit
    _latest: dict[str, dict[str, float]] = field(default_factory=dict, repr=False)  # subject -> by name
    _withheld: dict[str, bool] = field(default_factory=dict, repr=False)  # subject -> whether for good
    _unread: set[str] = field(default_factory=set, repr=False)  # subjects
    _read: Callable[[str], Iterable[tuple[Payload, datetime]]] = field(default=lambda _: (), repr=False)

    def goes_on(
        self,
        withheld: Mapping[str, bool],
        unread: Iterable[str],
        read: Callable[[str], Iterable[tuple[Payload, datetime]]],
    ) -> None:
        """Go on from what was decided.

        Args:
            unread: subjects whose masked results are read when they are asked for.
            read: what the record says of a subject by then, and when it happened.
        """
        self._withheld, self._unread, self._read = dict(withheld), set(unread), read

    def follows(self, subject: str, said: Payload, at: datetime) -> None:
        """Take note of what the record says of masked results."""
        if isinstance(said, SafetyReviewed):
            self.recalls(subject, said)
        elif subject not in self._unread:
            self._notes(subject, said, at)

    def _notes(self, subject: str, said: Payload, at: datetime) -> None:
        """Open what was sealed, and take note of it."""
        if isinstance(said, (MaskedResults, FurtherMaskedResults)):
            plain = self.allocator.open(place_of_sealed(subject, said), said.sealed)
            self.sees(subject, said.visit, at, {name: Result.model_validate(one) for name, one in plain.items()})
        elif isinstance(said, SealedQueryAnswered):
            plain = self.allocator.open(place_of_sealed(subject, said), said.sealed)
            self.puts_right(subject, said.visit, plain["test"], Result.model_validate(plain["right"]))

    def _has_read(self, subject: str) -> None:
        """Read what was sent of a subject before the start, unless it was read."""
        if subject not in self._unread:
            return
        told = list(self._read(subject))
        self._unread.discard(subject)
        try:
            for said, at in told:
                self._notes(subject, said, at)
        except BaseException:  # half of it would be taken for all
            self._sent.pop(subject, None)
            self._latest.pop(subject, None)
            self._unread.add(subject)
            raise

    def sees(self, subject: str, visit: str, at: datetime, masked: Mapping[str, Result]) -> None:
        """Take note of masked results of a sample of a visit."""
        self._has_read(subject)
        self._sent.setdefault(subject, {}).setdefault(visit, []).append(_Sample(at, dict(masked)))
        self._look_again(subject)

    def puts_right(self, subject: str, visit: str, test: str, right: Result) -> None:
        """Take note of what a value of a visit was, as the laboratory says now."""
        self._has_read(subject)
        for sample in self._sent.get(subject, {}).get(visit, []):
            if test in sample.results:
                sample.results[test] = right
        self._look_again(subject)

    def sent(self, subject: str, visit: str) -> dict[str, Result]:
        """What the laboratory has sent of a visit so far."""
        self._has_read(subject)
        samples = self._sent.get(subject, {}).get(visit, [])
        return {name: result for sample in samples for name, result in sample.results.items()}

    def _look_again(self, subject: str) -> None:
        """The latest value of every test is that of the latest sample, whenever it came."""
        samples = [sample for of_visit in self._sent[subject].values() for sample in of_visit]
        self._latest[subject] = {
            name: result.value
            for sample in sorted(samples, key=lambda sample: sample.at)
            for name, result in sample.results.items()
        }

    def recalls(self, subject: str, reviewed: SafetyReviewed) -> None:
        """Take note of what was decided, as the record has it."""
        decision = self.allocator.open(place_of_sealed(subject, reviewed), reviewed.sealed)
        self._decided(subject, until_further_notice=decision["withhold"], for_good=decision["for good"])

    @property
    def withheld(self) -> Mapping[str, bool]:
        """Whose active product is withheld now, and whether for good."""
        return self._withheld

    def forget(self, subject: str) -> None:
        """Forget a subject's masked results and what was decided of them."""
        self._sent.pop(subject, None)
        self._latest.pop(subject, None)
        self._withheld.pop(subject, None)
        self._unread.discard(subject)

    def review(
        self,
        protocol: Protocol,
        subject: str,
        number: str,
        visit: str,
        masked: Mapping[str, Result],
        *,
        n_before: int,
    ) -> SafetyReviewed:
        """Hold the rules about masked results against what has come: withhold or not, what else is to be done, and
        what is asked about values that are not plausible.

        Args:
            masked: the results that are new, seen before.
            n_before: reviews of the visit so far.
        """
        self._has_read(subject)
        latest = self._latest[subject]
        found = interruptions(protocol, latest, masked=True)
        stops = any(one.action is Action.STOP for one in found)
        self.allocator.withhold(number, until_further_notice=bool(found), for_good=stops)
        self._decided(subject, until_further_notice=bool(found), for_good=stops)
        new = {name: result.value for name, result in masked.items()}
        raised = raised_by_results(protocol, new, latest, masked=True)
        decision = {
            "withhold": bool(found),
            "for good": stops,
            "rules": [one.id for one in found],
            "raised": [
                {"rule": one.rule.id, "to": one.rule.to, "action": one.rule.action, "because": one.because}
                for one in raised
            ],
        }
        questions = (implausible(protocol.known_variables[name], value) for name, value in new.items())
        asked = [question for question in questions if question is not None]
        if asked:
            decision["asked"] = asked
        said = SafetyReviewed(visit=visit, sealed="", number=n_before + 1)
        return said.model_copy(update={"sealed": self.allocator.seal(place_of_sealed(subject, said), decision)})

    def _decided(self, subject: str, *, until_further_notice: bool, for_good: bool) -> None:
        if for_good or self._withheld.get(subject):
            self._withheld[subject] = True
        elif until_further_notice:
            self._withheld[subject] = False
        else:
            self._withheld.pop(subject, None)
