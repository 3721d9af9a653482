"""`python -m fsarbench`."""

import os
import sys

# `python -m` puts the working folder first, where a file such as random.py would replace Python's.
# It goes last, unless PYTHONPATH or the user has put it elsewhere.
if not getattr(sys.flags, "safe_path", False) and sys.path[:1] == [os.getcwd()]:
    sys.path.append(sys.path.pop(0))

from fsarbench.cli.app import main

if __name__ == "__main__":
    main()
