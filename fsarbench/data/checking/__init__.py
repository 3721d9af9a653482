"""Opening every video of a data set before a run does, and the list of those that are bad."""
