"""Commands of the command line with their options; each calls a function of another package."""
