"""Import of published split lists, or of your own class folders, into tables for data sets."""
