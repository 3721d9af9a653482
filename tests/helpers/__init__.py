"""Fixtures, naive implementations and small data sets that several tests share."""
