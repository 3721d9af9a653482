"""Terminal tables, comparisons and HTML pages of runs."""
