"""A model by its name or from its file, held against everything that can be held before it runs.

A model's file is a Python program that ends in ``PAGE = Page(...)``; loading it runs it. Whatever is wrong with it is
told as one message with file and line.
"""

import ast
import builtins
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from types import ModuleType, TracebackType
from typing import Final, final

from sevenfold.errors import InvalidDesign, InvalidInput
from sevenfold.mechanism.agreement import check_units
from sevenfold.mechanism.compartments import Elimination, compartment_page, target_mediated_page
from sevenfold.mechanism.il7 import il7_page
from sevenfold.mechanism.page import Page
from sevenfold.mechanism.place import InvalidModel, Place, of_traceback
from sevenfold.mechanism.trace import Whole

__all__ = ["BUILT_IN", "Loaded", "load_model", "load_page"]

BUILT_IN: Final[dict[str, Callable[[], Page]]] = {
    "il7": il7_page,
    **{
        f"compartments_{n}{absorbed}{eliminated}": partial(
            compartment_page, n, is_absorbed=bool(absorbed), elimination=how
        )
        for n in (1, 2, 3)
        for absorbed in ("", "_absorbed")
        for eliminated, how in (("", Elimination.LINEAR), ("_michaelis_menten", Elimination.MICHAELIS_MENTEN))
    },
    "target_mediated": target_mediated_page,
    "target_mediated_tissue": partial(target_mediated_page, has_tissue=True),
}
"""The models that need no file: IL-7, and the library of compartments at its illustrative values."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A model that was found sound.

    Args:
        whole: its traced equations.
        origin: the file, or ``built in``.
    """

    page: Page
    whole: Whole
    origin: str


def load_page(name_or_file: str) -> Page:
    """The page of :func:`load_model`."""
    return load_model(name_or_file).page


def load_model(name_or_file: str) -> Loaded:
    """A built-in model by name, or one from a file that defines ``PAGE``.

    Raises:
        InvalidInput: there is no such model, or the file can't be read.
        InvalidModel: the first fault that was found, with file and line.
    """
    if name_or_file in BUILT_IN:
        page = BUILT_IN[name_or_file]()
        return Loaded(page=page, whole=check_units(page), origin="built in")
    path = Path(name_or_file)
    text = _text_of(path)
    with _faults_told(path, text):
        module = ModuleType(f"sevenfold_model_{path.stem}")
        module.__file__ = str(path)
        sys.modules[module.__name__] = module  # dataclasses look their module up
        exec(compile(text, str(path), "exec"), vars(module))  # noqa: S102  a model's file is a program of its user
        found: object = vars(module).get("PAGE")
        if not isinstance(found, Page):
            has = f"its PAGE is a {type(found).__name__}" if found is not None else "it defines no PAGE"
            raise InvalidModel(f"A model's file ends in 'PAGE = Page(...)'; {has}.")
        return Loaded(page=found, whole=check_units(found), origin=str(path))


def _text_of(path: Path) -> str:
    if not path.exists():
        near = get_close_matches(str(path), BUILT_IN, n=1)
        hint = f" Did you mean the built-in {near[0]!r}?" if near else ""
        raise InvalidInput(
            f"There is no model {str(path)!r}: no such file, and the built-in ones are {', '.join(BUILT_IN)}.{hint}"
        )
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{path}: not UTF-8 text (byte {error.start}); save it as UTF-8.") from None
    except OSError as error:
        raise InvalidInput(f"{path} cannot be read: {error.strerror}.") from None


@contextmanager
def _faults_told(path: Path, text: str) -> Iterator[None]:
    """Turns whatever a model's file raises into one message with file and line."""
    file = str(path)
    try:
        yield
    except SyntaxError as error:
        line = error.lineno if error.filename == file else None
        raise InvalidModel(f"{file}, line {line or 1}: this is not Python: {error.msg}.") from None
    except Exception as error:  # noqa: BLE001  a model's file is a program: any error of it is a fault of the file
        place = _place(error, file, text)
        raise InvalidModel(f"{file}, line {place.line}: {_said(error, file)}", place=place) from None


def _place(error: Exception, file: str, text: str) -> Place:
    found = of_traceback(error.__traceback__, file)
    if isinstance(error, InvalidModel):
        if error.place is not None and error.place.file == file:
            return error.place
        if error.name is not None and (found is None or _is_outermost(error.__traceback__, file)):
            line = _line_of(error.name, text, found.line if found is not None else None)
            return Place(file, line) if line is not None else found or Place(file, _line_of_page(text))
    return found if found is not None else Place(file, _line_of_page(text))


def _said(error: Exception, file: str) -> str:
    if isinstance(error, InvalidDesign | InvalidInput):
        return str(error)
    if isinstance(error, NameError):
        near = get_close_matches(str(error.name), _names(error.__traceback__, file), n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        return f"the name {error.name!r} is not defined.{hint}"
    if isinstance(error, TypeError) and "__array_ufunc__" in str(error):
        return (
            "a function of NumPy is called on a value of the patient; use exp, log, power, maximum and minimum of "
            "sevenfold.mechanism, which can be traced."
        )
    return f"{type(error).__name__}: {error}."


def _names(traceback: TracebackType | None, file: str) -> list[str]:
    """What can be called by name at the innermost line of the file that the error came through."""
    names: set[str] = set(vars(builtins))
    while traceback is not None:
        if traceback.tb_frame.f_code.co_filename == file:
            names = {*traceback.tb_frame.f_locals, *traceback.tb_frame.f_globals, *vars(builtins)}
        traceback = traceback.tb_next
    return sorted(names)


def _is_outermost(traceback: TracebackType | None, file: str) -> bool:
    """Whether the file was being run, not one of its functions called."""
    function = ""
    while traceback is not None:
        if traceback.tb_frame.f_code.co_filename == file:
            function = traceback.tb_frame.f_code.co_name
        traceback = traceback.tb_next
    return function == "<module>"


def _line_of(name: str, text: str, near: int | None) -> int | None:
    """Where a name stands in quotes: within the call that begins on line ``near``, or else anywhere; as an argument, or
    else in any place; the last one, which is the second of two.
    """
    tree = ast.parse(text)
    calls: list[ast.AST] = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and node.lineno == near]
    for kind in (ast.keyword, ast.AST):
        for scope in [*calls, tree]:
            values = [getattr(node, "value", None) if kind is ast.keyword else node for node in _walked(scope, kind)]
            said = [value.lineno for value in values if isinstance(value, ast.Constant) and value.value == name]
            if said:
                return max(said)
    return None


def _walked(scope: ast.AST, kind: type[ast.AST]) -> list[ast.AST]:
    return [node for node in ast.walk(scope) if isinstance(node, kind)]


def _line_of_page(text: str) -> int:
    for node in ast.parse(text).body:
        targets = node.targets if isinstance(node, ast.Assign) else []
        if any(isinstance(target, ast.Name) and target.id == "PAGE" for target in targets):
            return node.lineno
    return max(len(text.splitlines()), 1)
