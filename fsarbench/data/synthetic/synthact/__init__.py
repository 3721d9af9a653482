"""The built-in data set of 100 named actions, rendered by numpy."""
