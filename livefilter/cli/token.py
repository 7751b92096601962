"""`livefilter token`: the token for other machines and for tools that can only call an address."""

from __future__ import annotations

import click

from livefilter.web.token import TokenFile, token_path


@click.command()
@click.option("--new", is_flag=True, help="Make another one; whoever has the old one is out.")
@click.option("--path", is_flag=True, help="Print where it lies instead.")
def token(new: bool, path: bool) -> None:
    """Print the token with which others on the network, and tools that can only call an address, steer livefilter.

    It is made when it is first asked for, and kept in a file that only you can read.
    """
    if path:
        click.echo(token_path())
        return
    kept = TokenFile()
    click.echo(kept.renew() if new else kept.ensure())
