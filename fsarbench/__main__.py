"""`python -m fsarbench`."""

from fsarbench.cli import main

if __name__ == "__main__":
    main()
