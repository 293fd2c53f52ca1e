"""What follows by itself from results that were recorded: a question to the site, a stop of dosing, a word to whoever
must be told.
"""

from collections.abc import Mapping
from datetime import datetime

from sevenfold.protocol.treatment import Action
from sevenfold.record.payloads import DosingStopped, QueryRaised, Result
from sevenfold.rules.dosing import interruptions
from sevenfold.rules.monitoring import raised_by_results
from sevenfold.rules.visiting import implausible
from sevenfold.trial.conduct import Conduct

__all__ = ["act_on_results", "ask", "ask_about_values", "stop_by_rule"]


def ask(conduct: Conduct, subject: str, about: int, question: str | None, happened: datetime) -> None:
    """Raise a query by itself about an event, where there is a question."""
    if question is not None:
        number = len(conduct.standings[subject].queries) + 1
        conduct.record(subject, QueryRaised(number=number, about=about, text=question), "system", happened)


def ask_about_values(
    conduct: Conduct, subject: str, about: int, clear: Mapping[str, Result], happened: datetime
) -> None:
    """Ask about every open value that can be and hardly ever is."""
    variables = conduct.file.protocol.known_variables
    for name, result in clear.items():
        ask(conduct, subject, about, implausible(variables[name], result.value), happened)


def act_on_results(conduct: Conduct, subject: str, clear: Mapping[str, Result], happened: datetime) -> None:
    """What the rules make of new open results: whether dosing stops, and who must be told."""
    standing = conduct.standings[subject]
    if standing.is_dosing:
        stop_by_rule(conduct, subject, happened)
    new = {name: result.value for name, result in clear.items()}
    conduct.raise_by_rule(
        subject, raised_by_results(conduct.file.protocol, new, standing.latest, masked=False), happened
    )


def stop_by_rule(conduct: Conduct, subject: str, happened: datetime) -> None:
    """Stop dosing where a rule of the protocol wants it, by what is known in clear."""
    open_rules = interruptions(conduct.file.protocol, conduct.standings[subject].latest, masked=False)
    stopping = [one.id for one in open_rules if one.action is Action.STOP]
    if stopping:
        said = DosingStopped(reason=f"rule of the protocol: {', '.join(stopping)}")
        conduct.record(subject, said, "investigator", happened)
