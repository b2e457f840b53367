"""`python -m vertebro_outcomes` is the command `vertebro`."""

from vertebro_outcomes.cli import main

if __name__ == "__main__":
    main()
