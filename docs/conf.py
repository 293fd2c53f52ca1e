"""How the documentation is built: Markdown, strictly; formulas become MathML, so that no page needs a network."""

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.application import Sphinx
from sphinx.writers.html5 import HTML5Translator

from sevenfold import __version__

project = "Sevenfold"
author = "The Sevenfold authors"
copyright = "The Sevenfold authors, Apache-2.0"
release = version = __version__

extensions = ["myst_parser"]
myst_enable_extensions = ["dollarmath", "deflist", "colon_fence"]
myst_heading_anchors = 3
source_suffix = {".md": "markdown"}
exclude_patterns = ["_build", "_static"]
suppress_warnings = ["myst.header"]  # a page may begin its sections at any depth

html_theme = "furo"
html_title = "Sevenfold"
html_static_path = ["_static"]
html_css_files = ["matrix.css"]
html_math_renderer = "mathml"


def _inline(writer: HTML5Translator, node: nodes.math) -> None:
    writer.body.append(convert(node.astext()))
    raise nodes.SkipNode


def _displayed(writer: HTML5Translator, node: nodes.math_block) -> None:
    text = node.astext().replace("{aligned}", "{align*}")  # the name that the converter knows
    writer.body.append(f'<div class="math" style="overflow-x: auto">{convert(text, display="block")}</div>')
    raise nodes.SkipNode


def setup(app: Sphinx) -> None:
    """Formulas as MathML, which browsers draw themselves."""
    app.add_html_math_renderer("mathml", (_inline, None), (_displayed, None))
