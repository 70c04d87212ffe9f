"""The command `tillflow`: every command lives in its own file of `infra/commands/`."""

from __future__ import annotations

import importlib

import click

# name -> (module, attribute, one line for the list); loaded only when called, so that
# `tillflow --help` answers at once and a command needs only the libraries it uses.
COMMANDS: dict[str, tuple[str, str, str]] = {
    "run": ("infra.commands.run", "run", "Run a flow."),
    "query": ("infra.commands.query", "query", "Ready answers from the warehouse."),
    "transfers": ("infra.commands.transfers", "transfers", "Transfers that would pay, answered."),
    "warehouse": ("infra.commands.warehouse", "warehouse", "Serve a warehouse, keep it small."),
    "holds": ("infra.commands.holds", "holds", "Holds over HTTP, and the keeper of their gate."),
    "hooks": ("infra.commands.hooks", "hooks", "Alerts to people: chats, e-mail, webhooks."),
    "channels": ("infra.commands.channels", "channels", "Messages to members: SMS, WeChat, WeCom."),
    "up": ("infra.commands.stack", "up", "Start the live stack on this machine."),
    "down": ("infra.commands.stack", "down", "Stop the live stack."),
    "status": ("infra.commands.stack", "status", "How the live stack is."),
    "doctor": ("infra.commands.doctor", "doctor", "What is missing on this machine."),
    "drift": ("infra.commands.drift", "drift", "Do log, Redis and warehouse say the same?"),
    "phantom": ("infra.commands.phantom", "phantom", "Stock on record that is hardly there."),
    "expiring": ("infra.commands.expiring", "expiring", "Lots that will not be sold in time."),
    "forecast": ("infra.commands.forecast", "forecast", "People and orders to come, with bands."),
    "roster": ("infra.commands.roster", "roster", "Rosters: who works when, at which task."),
    "members": ("infra.commands.members", "members", "Members: live segments, and why."),
    "experiment": (
        "infra.commands.experiments",
        "experiment",
        "Experiments: read, plan their size.",
    ),
    "journey": ("infra.commands.journeys", "journey", "Journeys: check, explain, test, simulate."),
    "coupon": ("infra.commands.coupons", "coupon", "Coupons: file, desk, why a campaign went so."),
    "import": ("infra.commands.importing", "import_", "Turn exports of tills into clean events."),
    "simulate": ("infra.commands.simulate", "simulate", "Simulate a chain with its hidden truth."),
    "drill": ("infra.commands.drill", "drill_command", "Break a live stack, count what is left."),
    "schema": ("infra.commands.schema", "schema", "The contract as JSON Schema and DDL."),
    "demo": ("infra.commands.demo", "demo", "Real transactions to live stock, with a page."),
}


class _Commands(click.Group):
    """Loads a command when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in the order of a user's first day."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name, or None for one that is not there."""
        entry = COMMANDS.get(cmd_name)
        if entry is None:
            return None
        command = getattr(importlib.import_module(entry[0]), entry[1])
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list, without loading any of them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry[2]) for name, entry in COMMANDS.items()])


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="tillflow")
def main() -> None:
    """Live stock, rosters and members for chains of shops, as streams."""


if __name__ == "__main__":  # python -m infra.cli, where the script is not on the path
    main()
