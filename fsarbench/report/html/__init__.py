"""The page of some runs: tables, plots, and a viewer of episodes, in one file."""
