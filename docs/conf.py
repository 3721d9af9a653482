"""Sphinx configuration of the documentation: `sphinx-build -W docs site`.

The build downloads nothing: system fonts, equations as MathML, no intersphinx.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

import fsarbench

project = "fsarbench"
author = "the authors of fsarbench"
version = release = fsarbench.__version__
html_title = f"fsarbench {version}"

extensions = [
    "myst_parser",
    "mathml",
    "generated",
]
html_theme = "furo"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_sphinx = False
# The sources of the pages are in the repository; a copy would be half of the site's size.
html_copy_source = False

# Headings get anchors, as on GitHub.
myst_heading_anchors = 3

exclude_patterns = ["_build", "_ext"]
highlight_language = "text"
# Quotes enclose shapes, which are code.
smartquotes = False
