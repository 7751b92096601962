"""`livefilter`, and `python -m livefilter`."""

import sys


def main() -> None:
    """Run the command line and exit; Ctrl-C is answered in a word while it still loads, too."""
    try:
        from livefilter.cli.main import main as run
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)  # noqa: T201 - the part of cli that prints is what did not load
        sys.exit(130)
    run()


if __name__ == "__main__":
    main()
