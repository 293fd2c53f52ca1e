"""Who may do what: every role with its rights, in one table.

A route names the right that it needs and nothing else decides; what a role may not see is not asked of the record
for it.
"""

from enum import StrEnum
from typing import Final

__all__ = ["AT_A_SITE", "RIGHTS", "Right", "Role"]


class Role(StrEnum):
    """What somebody is in the trial. The words are those of the protocol's masking."""

    INVESTIGATOR = "investigator"
    NURSE = "nurse"
    PHARMACIST = "unblinded pharmacist"
    DATA_MANAGER = "data manager"
    MONITOR = "monitor"
    MEDICAL_MONITOR = "medical monitor"
    LABORATORY = "laboratory"
    SAFETY_REVIEWER = "safety reviewer"
    IDMC_STATISTICIAN = "IDMC statistician"
    SPONSOR = "sponsor"
    ADMINISTRATOR = "administrator"
    AUDITOR = "auditor"


class Right(StrEnum):
    """Something that a person may be allowed to do or to see."""

    READ_SUBJECTS = "read subjects"  # what is open of a subject: never the treatment, never a masked result
    SCREEN = "screen and take consent"
    RANDOMISE = "randomise"
    RECORD_VISIT = "record visits"
    REPORT_EVENT = "report adverse events"
    CORRECT = "correct what was recorded"
    QUERY = "raise and close queries"
    ANSWER_QUERY = "answer queries"
    VERIFY_SOURCE = "verify entries against their source"
    SIGN = "sign data"
    TAKE_COPY = "take the site's own copy of its data"
    END_PART = "record how a subject's part ends"
    DISPENSE = "dispense kits"
    SEE_CONTENTS = "see what a kit holds"
    GIVE_DOSE = "give doses"
    SEND_MASKED = "send masked results"
    IMPORT = "import results from a file"  # masked ones of the laboratory, open ones of a site
    SEE_MASKED = "see masked results"
    REVIEW_SAFETY = "act on what monitoring raised"
    JUDGE_SERIOUS = "judge serious events"
    UNBLIND_SUSAR = "unblind a suspected unexpected serious reaction"
    GUESS = "record guesses of the treatment"
    SEE_PROGRESS = "see enrolment"
    OPEN_SITE = "open sites"
    LOCK = "lock the database"
    UNBLIND_ONE = "unblind a subject in an emergency"
    SEE_NOTICES = "see that treatments were shown in emergencies"
    TAKE_NOTE = "take note of an emergency for the sponsor"
    ASK_UNBLINDING = "ask for the unblinding of the trial after lock"
    UNBLIND_ALL = "confirm the unblinding of the trial after lock"
    READ_REPORT = "read the final report"
    SEE_BY_ARM = "read the closed report, by arm"
    SEE_IDENTITY = "see and keep who the subjects of the site are"
    DESTROY_IDENTITY = "destroy what tells who a subject is"
    READ_AUDIT = "read the ledger and verify it"
    MANAGE_PEOPLE = "admit people"
    ATTEST = "confirm who somebody is"  # of their own site, or of the whole trial


_CARE: Final = {Right.READ_SUBJECTS, Right.SEE_PROGRESS}
RIGHTS: Final[dict[Role, frozenset[Right]]] = {
    Role.INVESTIGATOR: frozenset(
        _CARE
        | {Right.SCREEN, Right.RANDOMISE, Right.RECORD_VISIT, Right.REPORT_EVENT, Right.END_PART, Right.UNBLIND_ONE}
        | {Right.CORRECT, Right.ANSWER_QUERY, Right.SIGN, Right.GUESS, Right.IMPORT}
        | {Right.TAKE_COPY, Right.SEE_IDENTITY, Right.DESTROY_IDENTITY, Right.ATTEST}
    ),
    Role.NURSE: frozenset(
        _CARE
        | {Right.RECORD_VISIT, Right.GIVE_DOSE, Right.CORRECT, Right.ANSWER_QUERY, Right.GUESS, Right.IMPORT}
        | {Right.SEE_IDENTITY}
    ),
    Role.PHARMACIST: frozenset({Right.DISPENSE, Right.SEE_CONTENTS, Right.SEE_PROGRESS}),
    Role.DATA_MANAGER: frozenset(_CARE | {Right.LOCK, Right.QUERY, Right.READ_REPORT}),
    Role.MONITOR: frozenset(
        _CARE | {Right.QUERY, Right.VERIFY_SOURCE, Right.SEE_NOTICES, Right.READ_REPORT, Right.ATTEST}
    ),
    Role.MEDICAL_MONITOR: frozenset(
        _CARE | {Right.REVIEW_SAFETY, Right.JUDGE_SERIOUS, Right.SEE_NOTICES, Right.READ_REPORT, Right.ATTEST}
    ),
    Role.LABORATORY: frozenset({Right.SEND_MASKED, Right.IMPORT}),
    Role.SAFETY_REVIEWER: frozenset(
        {Right.SEE_MASKED, Right.REVIEW_SAFETY, Right.UNBLIND_SUSAR, Right.SEE_PROGRESS, Right.SEE_BY_ARM}
        | {Right.READ_REPORT}
    ),
    Role.IDMC_STATISTICIAN: frozenset(
        {Right.SEE_MASKED, Right.SEE_PROGRESS, Right.SEE_BY_ARM, Right.UNBLIND_ALL, Right.READ_REPORT}
    ),
    Role.SPONSOR: frozenset(
        {Right.SEE_PROGRESS, Right.OPEN_SITE, Right.SEE_NOTICES, Right.TAKE_NOTE, Right.ASK_UNBLINDING}
        | {Right.READ_REPORT, Right.ATTEST}
    ),
    Role.ADMINISTRATOR: frozenset({Right.MANAGE_PEOPLE, Right.ATTEST}),
    Role.AUDITOR: frozenset(_CARE | {Right.READ_AUDIT, Right.SEE_NOTICES, Right.READ_REPORT}),
}
AT_A_SITE: Final = frozenset({Role.INVESTIGATOR, Role.NURSE, Role.PHARMACIST})
"""Roles of people who belong to one site and see it alone."""
