"""The words of ``sevenfold model``: its commands, their arguments and what their help teaches."""

import argparse

from sevenfold.cli.command import Commands

__all__ = ["add_model"]

_ABOUT = """\
A model is a page: named states with units, parameters with their sources, plain equations of one patient. The same page
is printed, drawn, checked, exported and compiled.

  sevenfold model list                              the built-in models
  sevenfold model show il7                          equations, parameters with sources, and the diagram as SVG
  sevenfold model show examples/il15_nk.py          the same of a model of your own
  sevenfold model check my-model.py                 names, units, domains: one clear fault with its line, or a summary
  sevenfold model export il7 --format sbml -o il7.xml --dose IM:750@0,3,7,10

A model of your own is one Python file that ends in PAGE = Page(...); docs/guide/models.md builds one step by step.
Reading such a file runs it: read only files that you trust.
"""
_MODEL = "a built-in model (`sevenfold model list`) or the path of a file that defines PAGE"


def add_model(commands: Commands) -> None:
    """Add ``model`` and its commands."""
    model = commands.add_parser(
        "model",
        help="show, check or export a model of a patient",
        description=_ABOUT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    inner = model.add_subparsers(title="commands", metavar="COMMAND")

    def explain(_: argparse.Namespace) -> int:
        model.print_help()
        return 0

    model.set_defaults(run=explain)
    _add_list(inner)
    _add_show(inner)
    _add_check(inner)
    _add_export(inner)


def _add_list(commands: Commands) -> None:
    command = commands.add_parser(
        "list", help="the built-in models", description="List the built-in models: name, title, size, ways to dose."
    )

    def run(_: argparse.Namespace) -> int:
        from sevenfold.cli.model import list_models

        return list_models()

    command.set_defaults(run=run)


def _add_show(commands: Commands) -> None:
    text = (
        "Print a model as a reader wants it: states, named terms and equations in letters, parameters with value, "
        "unit, variability, status and source, ways to dose, outputs. Its diagram is written as an SVG that opens in "
        "any browser: boxes are states, solid arrows carry matter or cells, dashed arrows are influences."
    )
    command = commands.add_parser("show", help="equations, parameters with sources, diagram", description=text)
    command.add_argument("model", metavar="MODEL", help=_MODEL)
    command.add_argument("--out", metavar="FOLDER", help="where the diagram is written (default out/models)")

    def run(chosen: argparse.Namespace) -> int:
        from sevenfold.cli.model import show_model

        return show_model(chosen)

    command.set_defaults(run=run)


def _add_check(commands: Commands) -> None:
    text = (
        "Check a model: every name known, every state with its rate, every equation right in its units, every "
        "parameter within its domain, and a typical patient simulated for 28 days. A fault is one message with file "
        "and line, and exit code 2."
    )
    command = commands.add_parser("check", help="is a model sound?", description=text)
    command.add_argument("model", metavar="MODEL", help=_MODEL)

    def run(chosen: argparse.Namespace) -> int:
        from sevenfold.cli.model import check_model

        return check_model(chosen)

    command.set_defaults(run=run)


def _add_export(commands: Commands) -> None:
    text = (
        "Write a model for other programs. SBML (Level 3 Version 2) is read by libRoadRunner, COPASI, Tellurium and "
        "others; terms, derived values, units and sources go with it. Needs the extra: pip install 'sevenfold[sbml]'."
    )
    command = commands.add_parser("export", help="write a model for other programs", description=text)
    command.add_argument("model", metavar="MODEL", help=_MODEL)
    command.add_argument("--format", choices=["sbml"], default="sbml", help="what to write (default sbml)")
    command.add_argument("-o", "--out", metavar="FILE", required=True, help="where to write it")
    command.add_argument(
        "--dose", action="append", default=[], metavar="ROUTE:AMOUNT@DAYS",
        help="doses that become events, such as IM:750@0,3,7 (amount in the unit of the state it enters; days since "
        "the first dose; IV:750/0.5@0 is infused over half a day); may be repeated",
    )  # fmt: skip

    def run(chosen: argparse.Namespace) -> int:
        from sevenfold.cli.model import export_model

        return export_model(chosen)

    command.set_defaults(run=run)
