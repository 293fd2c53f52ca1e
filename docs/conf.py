"""How the documentation is built: Markdown, strictly, without a network."""

from sevenfold import __version__

project = "Sevenfold"
author = "The Sevenfold authors"
copyright = "The Sevenfold authors, Apache-2.0"
release = version = __version__

extensions = ["myst_parser"]
myst_enable_extensions = ["dollarmath", "deflist", "colon_fence"]
myst_heading_anchors = 3
source_suffix = {".md": "markdown"}
exclude_patterns = ["_build"]
suppress_warnings = ["myst.header"]  # a page may begin its sections at any depth

html_theme = "furo"
html_title = "Sevenfold"
html_static_path = ["_static"]
