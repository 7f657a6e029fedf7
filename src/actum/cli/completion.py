"""Completion for the shell: a script to source."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the completion script of a SHELL.

    For bash, put `source <(actum completion bash)` into ~/.bashrc; for zsh, likewise into ~/.zshrc; for fish, write
    `actum completion fish > ~/.config/fish/completions/actum.fish`.
    """
    kind = get_completion_class(shell)
    assert kind is not None
    program = ctx.find_root().command
    completer = kind(program, {}, "actum", "_ACTUM_COMPLETE")
    # Not `source()`: it would start a shell to ask for its version, which the script finds out by itself.
    click.echo(completer.source_template % completer.source_vars())
