"""Tests of fsarbench, laid out as the package is."""
