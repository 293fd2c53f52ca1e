"""A command of the command line: its help is wrapped as it is written and ends with examples."""

import argparse
import textwrap

__all__ = ["Commands", "command_of"]

TYPE_CHECKING = False  # typing says so too, and takes 5 ms to be imported
if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001 (it has no other name)
else:
    Commands = argparse._SubParsersAction  # noqa: SLF001


def command_of(commands: Commands, name: str, short: str, text: str, *examples: str) -> argparse.ArgumentParser:
    """A command whose help ends with examples, and whose text is wrapped as it is written."""
    told = "\n".join(["examples:", *(f"  {example}" for example in examples)])
    wrapped = textwrap.fill(text, 100)
    raw = argparse.RawDescriptionHelpFormatter
    return commands.add_parser(name, help=short, description=wrapped, epilog=told, formatter_class=raw)
