"""What the model and a rehearsal are not good for: said on every report."""

from typing import Final

from sevenfold.protocol.protocol import Protocol

__all__ = ["LIMITS", "READINGS", "limits_of"]

LIMITS: Final = (
    "These are virtual patients. A rehearsal shows what the protocol would do if the model were right; it is "
    "no evidence that CYT107 works.",
    "The IL-7 model was calibrated to the shape of published summaries, IRIS-7's own three- to four-fold rise "
    "among them. That it "
    "shows such a rise again is calibration, not validation. No patient-level data were used.",
    "In critically ill patients with COVID-19 (ILIAD-7, n = 109, 10 µg/kg into muscle twice a week for two "
    "weeks) lymphocytes rose in both "
    "groups and did not differ significantly (Shankar-Hari et al., JCI Insight 2025;10:e189150). The model as "
    "calibrated "
    "predicts a ratio of about 1.8 there: it fails that trial, and must not be extrapolated to it.",
    "That there is no cytokine storm, no effect on organ function and, unless switched on, no effect on "
    "infection or death are assumptions "
    "put in, not results that came out.",
    "EC50, the maximal entry into cycle, the onset of tolerance and the delay of the signal cannot be told "
    "apart from counts alone. "
    "Uncertainty of the parameters is in the section of predictions only; intervals elsewhere show the chance of one "
    "small trial at one set of parameters. Its size rests on published summaries and on stated judgements of how far "
    "the model may be off.",
    "Bioavailability and volume rest on interleukin-2; no pharmacokinetic values of CYT107 were found in "
    "print. Anti-drug antibodies do "
    "not act on the model; soluble CD127, regulatory T cells and the split into naive and memory cells are left out.",
)

READINGS: Final = {
    "design": "fixed by the protocol file: it agrees by construction",
    "calibrated": "the model was calibrated to this figure or to its shape: agreement is no confirmation",
    "assumed": "an input of the virtual ICU: it agrees by construction",
    "predicted": "used nowhere in the model; our value is one draw of chance",
    "not compared": "not simulated, or what is published is over another reference than ours",
}

_CALIBRATED_UG_PER_KG: Final = 10.0


def limits_of(protocol: Protocol) -> tuple[str, ...]:
    """What a rehearsal of this protocol is not good for: what is true of all, after what is true of it."""
    own = []
    if protocol.published is None:
        own.append(
            "Nothing that was published is held against this trial. The model stands on what is in print of CYT107 in "
            "sepsis (IRIS-7 and IRIS-7C); whatever this protocol does otherwise, in patients, product, dose or "
            "schedule, is extrapolated."
        )
    doses = sorted({injection.dose_ug_per_kg for arm in protocol.arms for injection in arm.injections})
    others = [f"{dose:g}" for dose in doses if dose != _CALIBRATED_UG_PER_KG]
    if others:
        own.append(
            f"The model was calibrated at {_CALIBRATED_UG_PER_KG:g} µg/kg; this protocol gives {' and '.join(others)} "
            "µg/kg, which no result in print of these patients supports."
        )
    return (*own, *LIMITS)
