"""`python -m streams`: the same as the command `yocho`."""

from streams.cli import main

if __name__ == "__main__":
    main()
