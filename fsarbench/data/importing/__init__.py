"""From the lists that circulate, or a folder of class folders, to tables for data sets."""
