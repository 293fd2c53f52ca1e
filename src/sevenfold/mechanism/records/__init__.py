"""Tables of dosing records, with the meaning that NONMEM gives them."""

from sevenfold.mechanism.records.follow import Followed, follow_records
from sevenfold.mechanism.records.steady_state import SteadyStatus
from sevenfold.mechanism.records.table import Event, Records, read_records

__all__ = ["Event", "Followed", "Records", "SteadyStatus", "follow_records", "read_records"]
