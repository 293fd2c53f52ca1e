"""Whether a rehearsal can come to an end: criteria that let nobody in, or sites that screen too slowly, would never."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, final

from sevenfold.errors import InvalidDesign
from sevenfold.protocol.load import ProtocolFile
from sevenfold.rules.eligibility import Unmet
from sevenfold.trial.arrivals import Arrival

__all__ = ["Feasibility"]

_HOPELESS_AFTER: Final = 2_000  # candidates in a row of whom none is eligible
_LONGEST_YEARS: Final = 100  # from the first site's opening to the last candidate


@final
@dataclass(slots=True)
class Feasibility:
    """What the candidates of a rehearsal so far say about its plan."""

    file: ProtocolFile
    _kept_out: Counter[str] = field(default_factory=Counter)  # by criterion, since the last eligible candidate
    _in_a_row: int = 0

    def sees(self, unmet: Sequence[Unmet]) -> None:
        """A candidate was screened.

        Args:
            unmet: nothing where the candidate is eligible.

        Raises:
            InvalidDesign: the criteria let nobody in: a rehearsal would go on for ever.
        """
        if not unmet:
            self._in_a_row = 0
            self._kept_out.clear()
            return
        self._in_a_row += 1
        self._kept_out.update(one.criterion for one in unmet)
        if self._in_a_row < _HOPELESS_AFTER:
            return
        (worst, times), *more = self._kept_out.most_common(2)
        criteria = [criterion.id for criterion in self.file.protocol.population.criteria]
        place = ("population", "criteria", criteria.index(worst)) if worst in criteria else ("population",)
        also = f", {more[0][0]!r} {more[0][1]}" if more else ""
        raise InvalidDesign(
            f"{self.file.name}, line {self.file.lines.get(place, 1)}: the criteria let nobody in: none of the last "
            f"{self._in_a_row} candidates was eligible. Criterion {worst!r} kept out {times} of them{also}; loosen "
            "what contradicts."
        )

    def check_pace(self, arrival: Arrival, n_randomised: int) -> None:
        """A candidate comes.

        Raises:
            InvalidDesign: the sites screen so slowly that the trial would not end within a lifetime.
        """
        p = self.file.protocol
        opened = min(site.opens for _, site in p.sites.values())
        if arrival.at.year - opened.year <= _LONGEST_YEARS:
            return
        rate = sum(site.screened_per_month for _, site in p.sites.values())
        raise InvalidDesign(
            f"{self.file.name}, line {self.file.lines.get(('registered_trials',), 1)}: after {_LONGEST_YEARS} years "
            f"{n_randomised} of {p.population.planned} subjects are randomised; "
            f"the sites screen {rate:g} candidates a month in all, raise 'screened_per_month' or plan fewer."
        )
