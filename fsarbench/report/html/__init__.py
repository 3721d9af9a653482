"""HTML report of finished runs: tables, plots and an episode viewer in one file."""
