"""Published figures: each with its source, and compared only with what we have."""

import pytest

from sevenfold.errors import InvalidDesign, InvalidInput
from sevenfold.evidence.compare import Agreement, Measure, _agreement, _plans, compare
from sevenfold.evidence.figures import Figure, figures, parse_figures
from sevenfold.evidence.publications import publication


def figure(**fields: object) -> Figure:
    texts = ("id", "trial", "arm", "variable", "source", "level", "use")
    base = {**dict.fromkeys(texts, "x"), "statistic": "count", "verified": True}
    return Figure(**{**base, **fields})  # type: ignore[arg-type]


def test_every_figure_has_a_source_and_what_was_recalled_is_not_called_verified() -> None:
    for one in figures():
        assert one.source
        assert (one.value is not None) or (one.lo is not None)
        if one.level == "memory":
            assert not one.verified, one.id
        if one.verified:
            assert one.source.startswith("http"), one.id


def test_every_comparison_is_of_a_figure_that_exists() -> None:
    assert set(_plans()) <= {one.id for one in figures()}


@pytest.mark.parametrize(
    ("published", "measure", "agreement"),
    [
        ({"lo": 3, "hi": 4}, (3.5, 3.0, 4.2), Agreement.INSIDE),
        ({"lo": 3, "hi": 4}, (2.5, 2.0, 3.1), Agreement.OVERLAPS),
        ({"lo": 3, "hi": 4}, (2.5, 2.0, 2.9), Agreement.OUTSIDE),
        ({"lo": 3, "hi": 4}, (2.5, None, None), Agreement.OUTSIDE),
        ({"value": 27}, (27.0, None, None), Agreement.EQUAL),
        ({"value": 17}, (18.0, None, None), Agreement.DIFFERENT),
        ({"value": 3}, (4.0, 1.1, 9.2), Agreement.INSIDE),
        ({"value": "none", "statistic": "qualitative"}, (0.0, None, None), Agreement.QUALITATIVE),
    ],
)
def test_where_our_value_lies(
    published: dict[str, object], measure: tuple[float, float | None, float | None], agreement: Agreement
) -> None:
    value, lower, upper = measure
    assert _agreement(figure(**published), Measure(value=value, lower=lower, upper=upper, text="")) is agreement


def test_a_comparison_with_what_we_do_not_have_is_an_error() -> None:
    with pytest.raises(InvalidDesign, match="which the results do not have"):
        compare("IRIS-7", {})


def test_a_figure_without_its_fields_is_refused() -> None:
    with pytest.raises(InvalidInput, match="figure 1 \\(a\\)"):
        parse_figures("figures:\n  - {id: a, trial: T}\n", "f.yaml")


def test_the_record_of_iris_7_is_that_of_the_paper() -> None:
    """PMID 29515037, as its source gives it."""
    record = publication("IRIS-7")
    assert record is not None
    assert record.title == "Interleukin-7 restores lymphocytes in septic shock: the IRIS-7 randomized clinical trial"
    assert len(record.authors) == 16
    assert record.authors[0] == "Bruno Francois"
    assert (record.pmid, record.doi) == ("29515037", "10.1172/jci.insight.98960")
    assert record.registrations == ("NCT02640807", "NCT02797431")
    assert record.chemicals[0].catalogue_number == "IAR4248612"
    assert publication("nothing") is None
