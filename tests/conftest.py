"""What all tests share."""

import os

# As in the command line: threads that spin while they wait starve the other test processes.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
# A test that would reach for a hub is wrong; this makes it fail at once.
os.environ.setdefault("HF_HUB_OFFLINE", "1")
