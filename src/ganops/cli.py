"""The `ganops` command. Each file in ganops/commands is one command, imported when it is run."""

from __future__ import annotations

import importlib
import signal
import sys
from pathlib import Path

import click

from ganops import __version__
from ganops.errors import GanopsError
from ganops.printing import print_anything
from ganops.termination import end_on_sigterm

COMMANDS = Path(__file__).with_name("commands")
INTERRUPTED = 128 + signal.SIGINT
FIRST_STEPS = """\
Three things people do first:

  make run                     train three GANs on handwritten digits, compare them, promote the best: five minutes
  make run DATA=pictures.zip   the same on your own pictures: a zip file, or a folder
  ganops recipes               all recipes, with what fits your data and what it costs

Then look at the runs (make ui), and use the best model:

  ganops sample models:/ganops@champion -n 64 -o grid.png

All commands: ganops --help. Step by step: docs/tutorial.md."""


class CommandFolder(click.Group):
    """A group whose commands are the files of a folder; the overview shows the first line of each."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        """Names of the files."""
        return sorted(path.stem for path in COMMANDS.glob("[!_]*.py"))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The `command` of the file called `cmd_name`."""
        if cmd_name not in self.list_commands(ctx):
            return None
        command: click.Command = importlib.import_module(f"ganops.commands.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Names and first lines, read without importing anything."""
        rows = [(name, _first_line(COMMANDS / f"{name}.py")) for name in self.list_commands(ctx)]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


@click.group(
    cls=CommandFolder,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
@click.version_option(__version__, prog_name="ganops")
@click.pass_context
def ganops(context: click.Context) -> None:
    """Inspect, sample, compare and promote the models that the pipeline trains."""
    if context.invoked_subcommand is None:
        click.echo(FIRST_STEPS)


def main() -> None:
    """Run the command line; errors that a person can correct are printed without a traceback.

    SIGPIPE stays ignored, as Python has it: it would also end a service whose client hangs up. click ends quietly where
    the reader of the output is gone.
    """
    print_anything()
    end_on_sigterm()
    try:
        sys.exit(ganops.main(prog_name="ganops", standalone_mode=False))
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (GanopsError, OSError) as error:
        from ganops.tracking.location import redact

        click.echo(f"error: {redact(str(error))}", err=True)
        if isinstance(error, GanopsError):
            sys.exit(error.exit_code)
        # A full disk, a folder that cannot be written, a file that went away.
        click.echo("  to do: correct the path, or see `ganops doctor`", err=True)
        sys.exit(1)
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        sys.exit(INTERRUPTED)


def _first_line(path: Path) -> str:
    """The docstring's first line, read without parsing the file, which would take longer than everything else."""
    with path.open(encoding="utf-8") as file:
        return file.readline().strip().strip('"')
