"""How Sphinx builds the site: `sphinx-build -W docs site`.

Nothing is fetched: fonts are the reader's, equations are MathML made here, references lead inside.
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
# Sources of pages are in the repository; the copy would be half of the site.
html_copy_source = False

# Headings may be linked to, as on the pages of a forge.
myst_heading_anchors = 3

exclude_patterns = ["_build", "_ext"]
highlight_language = "text"
# Shapes stand in quotes; they are code.
smartquotes = False
