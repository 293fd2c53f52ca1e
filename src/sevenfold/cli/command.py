"""A command of the command line: its help is wrapped as it is written and ends with examples."""

import argparse
import textwrap

__all__ = ["command_of"]


def command_of(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, short: str, text: str, *examples: str
) -> argparse.ArgumentParser:
    """A command whose help ends with examples, and whose text is wrapped as it is written."""
    told = "\n".join(["examples:", *(f"  {example}" for example in examples)])
    wrapped = textwrap.fill(text, 100)
    raw = argparse.RawDescriptionHelpFormatter
    return commands.add_parser(name, help=short, description=wrapped, epilog=told, formatter_class=raw)
