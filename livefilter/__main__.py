"""`python -m livefilter`."""

from livefilter.cli.main import main

main()
