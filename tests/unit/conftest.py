"""Fixtures that tests of several folders share."""

from tests.helpers.toy_model import *  # noqa: F403
