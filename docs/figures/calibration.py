"""Figures and tables of the calibration page, from the posterior that the package ships.

python docs/figures/calibration.py [--sbc N]

Writes docs/_static/calibration/. With --sbc the ranks of simulation-based calibration are worked out anew (minutes).
"""

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from sevenfold.calibrate.evidence_file import evidence
from sevenfold.calibrate.priors import priors
from sevenfold.calibrate.sbc import rank_check
from sevenfold.calibrate.shipped import about_shipped, shipped_posterior
from sevenfold.report.svg import Scale, element, figure, line, path, text

FOLDER = Path(__file__).parents[1] / "_static" / "calibration"
STYLE = """
svg{font-family:system-ui,sans-serif;background:#fff}.tick{font-size:11px;fill:#444}.name{font-size:11.5px;fill:#111}
.grid{stroke:#ddd}.reference{stroke:#666;stroke-dasharray:4 4}.prior{stroke:#9aa0a6;stroke-width:7}
.a{stroke:#0b6fa4;fill:#0b6fa4;stroke-width:3}.b{stroke:#b8560b;fill:#b8560b;stroke-width:3}
.head{font-weight:600;fill:#111}
.range{stroke:#4c7a1f;stroke-width:7;opacity:.45}.bar{fill:#0b6fa4}
@media (prefers-color-scheme:dark){
svg{background:#14181c}.tick{fill:#a3adb6}.name,.head{fill:#e8e6e1}.grid{stroke:#353d45}
.reference{stroke:#a3adb6}.prior{stroke:#59626b}.a{stroke:#58b6ec;fill:#58b6ec}
.b{stroke:#f0995a;fill:#f0995a}.range{stroke:#9ccc65}
.bar{fill:#58b6ec}}
"""
WIDTH, ROW, LEFT = 760.0, 20.0, 250.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sbc", type=int, metavar="N")
    chosen = parser.parse_args()
    FOLDER.mkdir(parents=True, exist_ok=True)
    if chosen.sbc:
        found = rank_check(evidence(), chosen.sbc, root=1, threads=2)
        said = {"n": chosen.sbc, "counts": found.counts.tolist(), "p": np.round(found.p_values, 3).tolist()}
        more = {"p_together": found.p_together, "shift": found.shift, "dispersion": found.dispersion}
        write("sbc.json", json.dumps(said | more | {"unexplained": found.unexplained}))
    write("contraction.svg", contraction())
    write("predicted.svg", predicted())
    write("correlation.svg", correlation())
    for name, content in tables().items():
        write(name, content)
    if (FOLDER / "sbc.json").exists():
        write("sbc.svg", ranks(json.loads((FOLDER / "sbc.json").read_text(encoding="utf-8"))))


def write(name: str, content: str) -> None:
    (FOLDER / name).write_text(content.rstrip("\n") + "\n", encoding="utf-8")


def drawing(height: float, title: str, description: str, *parts: str) -> str:
    return figure(WIDTH, height, title, description, element("style", STYLE), *parts)


def contraction() -> str:
    """Prior, posterior A and B of every parameter, in standard deviations of the prior."""
    rows = priors()
    height = 50.0 + ROW * len(rows) + 30.0
    x = Scale(low=-3.0, high=3.0, start=LEFT, end=WIDTH - 15.0)
    parts = legend([("prior", "prior"), ("a", "A, IRIS-7 and IRIS-7C held out"), ("b", "B, all")])
    parts += axis(x, [-3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0], 40.0, height - 26.0, "standard deviations of the prior")
    draws = [(colour, shipped_posterior(which).draws) for colour, which in (("a", "held out"), ("b", "all"))]
    for k, prior in enumerate(rows):
        y = 50.0 + ROW * k
        parts += [text(8, y + 4, prior.name, class_="name"), line(x(-1.96), y, x(1.96), y, "prior")]
        for place, (colour, values) in enumerate(draws):
            low, middle, high = (float(q) for q in np.quantile(values[:, k], (0.025, 0.5, 0.975)))
            at = y - 3.0 + 6.0 * place
            parts += [
                line(x(low), at, x(high), at, colour),
                element("circle", cx=x(middle), cy=at, r=3.2, class_=colour),
            ]
    return drawing(height, "Prior and posteriors", "95 % intervals and medians of every parameter.", *parts)


def predicted() -> str:
    """What studies would report over what was published, by figure and reading."""
    pairs = [
        (a, b)
        for a, b in zip(about_shipped()["held out"]["predictions"], about_shipped()["all"]["predictions"], strict=True)
        if a["published"] is not None
    ]
    height = 50.0 + ROW * len(pairs) + 30.0
    x = Scale(low=0.2, high=12.0, start=LEFT + 60.0, end=WIDTH - 15.0, is_log=True)
    parts = legend([("range", "published"), ("a", "A"), ("b", "B")])
    parts += axis(
        x, [0.2, 0.5, 1.0, 2.0, 5.0, 10.0], 40.0, height - 26.0, "over the published value (middle of a range)"
    )
    for row, (a, b) in enumerate(pairs):
        y = 50.0 + ROW * row
        low = a["published"][0]
        high = a["published"][1] if a["published"][1] is not None else low * 100.0
        centre = low if a["published"][1] is None else float(np.sqrt(low * high))
        day = a["reading"].partition("study ")[2]
        over = "/placebo " if "over placebo" in a["reading"] else ""
        held = "" if a["use"] == "fit" else " (held out)" if a["use"] == "held out" else " (never fitted)"
        parts.append(text(8, y + 4, f"{a['figure']} {over}{day}{held}", class_="name"))
        parts.append(line(x(low / centre) - 2, y, x(high / centre) + 2, y, "range"))
        for place, (colour, one) in enumerate((("a", a), ("b", b))):
            at = y - 3.0 + 6.0 * place
            parts.append(line(x(one["study_lower"] / centre), at, x(one["study_upper"] / centre), at, colour))
            parts.append(element("circle", cx=x(one["median"] / centre), cy=at, r=3.2, class_=colour))
    about = "Median and 95 % interval of what a study of that size would report, over the published value."
    return drawing(height, "Predictive checks", about, *parts)


CLOSE = (
    "half_signal_ng_per_ml", "cd4_cycling_max_per_day", "tolerance_on_per_day", "signal_delay_per_day",
    "survival_max_fraction", "survival_off_per_day", "clearance_l_per_day", "bioavailable_fraction", "hiv_response",
    "septic_response", "septic_pool", "septic_sequestration", "septic_inflammation_decay_day",
)  # fmt: skip


def correlation() -> str:
    """Posterior B's correlations among those that counts alone cannot tell apart."""
    names = [prior.name for prior in priors()]
    matrix = np.array(about_shipped()["all"]["correlations"])
    cell = 32.0
    height = 60.0 + cell * len(CLOSE)
    parts = []
    for i, first in enumerate(CLOSE):
        y = 40.0 + cell * i
        parts.append(text(8, y + 20, f"{i + 1} {first}", class_="name"))
        parts.append(text(LEFT + cell * (i + 0.5), 34, str(i + 1), anchor="middle", class_="tick"))
        for j, second in enumerate(CLOSE[: i + 1]):
            r = float(matrix[names.index(first), names.index(second)])
            x = LEFT + cell * j
            if i != j:
                corners = [(x, y), (x + cell - 2, y), (x + cell - 2, y + cell - 2), (x, y + cell - 2)]
                shade = f"{min(abs(r), 1.0):.2f}"
                parts.append(path(corners, "a" if r > 0 else "b", closed=True, fill_opacity=shade, stroke_opacity="0"))
                parts.append(text(x + cell / 2, y + 19, f"{r:.1f}".replace("-", "−"), anchor="middle", class_="name"))
    return drawing(height, "Correlations in posterior B", "Blue is positive, orange negative.", *parts)


def ranks(said: Mapping[str, Any]) -> str:
    """Histograms of ranks, one a parameter."""
    counts = np.array(said["counts"])
    expected, columns, w, h = said["n"] / counts.shape[1], 5, 145.0, 62.0
    height = 20.0 + (h + 18.0) * -(-len(counts) // columns)
    parts = []
    for k, prior in enumerate(priors()):
        x0, y0 = 8.0 + (k % columns) * (w + 5.0), 16.0 + (k // columns) * (h + 18.0)
        parts.append(text(x0, y0, f"{prior.name[:22]} p={said['p'][k]:.2f}", class_="tick"))
        base, top = y0 + h, expected * 2.5
        for b, count in enumerate(counts[k]):
            x, y = x0 + b * w / 10, base - (h - 8) * min(count / top, 1.0)
            parts.append(path([(x, base), (x + w / 10 - 1, base), (x + w / 10 - 1, y), (x, y)], "bar", closed=True))
        parts.append(line(x0, base - (h - 8) / 2.5, x0 + w, base - (h - 8) / 2.5, "reference"))
    about = f"Ten bins of {said['n']} ranks; the dashed line is uniform."
    return drawing(height, "Simulation-based calibration", about, *parts)


def legend(entries: Sequence[tuple[str, str]]) -> list[str]:
    parts, x = [], LEFT
    for colour, words in entries:
        parts += [line(x, 14, x + 24, 14, colour), text(x + 30, 18, words, class_="head tick")]
        x += 46.0 + 7.0 * len(words)
    return parts


def axis(x: Scale, ticks: Sequence[float], top: float, base: float, words: str) -> list[str]:
    parts = []
    for tick in ticks:
        parts.append(line(x(tick), top, x(tick), base, "reference" if tick in (0.0, 1.0) else "grid"))
        parts.append(text(x(tick), base + 12, f"{tick:g}".replace("-", "−"), anchor="middle", class_="tick"))
    return [*parts, text((x.start + x.end) / 2, base + 24, words, anchor="middle", class_="tick")]


def tables() -> dict[str, str]:
    """Markdown that the page includes."""
    learnt = (
        "| parameter | unit | prior: median, sd | A: median (95 %) | contraction | B: median (95 %) | contraction |\n"
        "|---|---|---|---|---|---|---|\n"
    )
    sources = "| parameter | status | discards the page's value | source |\n|---|---|---|---|\n"
    a, b = (about_shipped()[which]["summaries"] for which in ("held out", "all"))
    for prior, one, other in zip(priors(), a, b, strict=True):
        learnt += (
            f"| `{prior.name}` | {prior.unit} | {prior.median:g}, {prior.sd:g} {prior.shape} | {told(one)} | "
            f"{one['contraction']:.2f} | {told(other)} | {other['contraction']:.2f} |\n"
        )
        discards = "yes" if prior.discards else ""
        sources += f"| `{prior.name}` | {prior.status.value} | {discards} | {prior.source} |\n"
    published = "| figure | published | read as | A | lies | B | lies |\n|---|---|---|---|---|---|---|\n"
    for one, other in zip(
        about_shipped()["held out"]["predictions"], about_shipped()["all"]["predictions"], strict=True
    ):
        if one["use"] != "fit":
            published += (
                f"| `{one['figure']}` | {shown(one['published'])} | {one['reading']} | {study(one)} | {one['lies']} | "
                f"{study(other)} | {other['lies']} |\n"
            )
    return {"parameters.md": learnt, "priors.md": sources, "published.md": published}


def shown(published: Sequence[float] | None) -> str:
    if published is None:
        return "in words"
    return f"{published[0]:g}" if published[0] == published[1] else f"{published[0]:g} to {published[1]:g}"


def told(one: Mapping[str, Any]) -> str:
    return f"{one['median']:.3g} ({one['lower']:.3g}–{one['upper']:.3g})"


def study(one: Mapping[str, Any]) -> str:
    chance = "" if one["chance"] is None else f"; chance {100 * one['chance']:.2g} %"
    return f"{one['median']:.3g} ({one['study_lower']:.3g}–{one['study_upper']:.3g}{chance})"


if __name__ == "__main__":
    main()
