"""Loops, branches, tables and variables printed as LLVM: bookkeeping, one number at a time, around the vectors.

Python's operators print: ``a + b`` of two values is an ``add`` in the function that is being printed, and its answer
the name of the sum. ``with`` prints a loop or a branch around what is printed inside it. Nothing may be fused or
reordered: what is printed computes what the same lines of Python would.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final, final

from sevenfold.mechanism.printing import Block

__all__ = ["Flow", "Table", "Value", "Variable"]

_WHOLE: Final = {"+": "add", "-": "sub", "*": "mul", "&": "and", "|": "or", "<<": "shl", ">>": "lshr"}
_NUMBER: Final = {"+": "fadd", "*": "fmul"}


@final
@dataclass(frozen=True, slots=True, eq=False)
class Value:
    """A whole number, a number or a truth that a function being printed knows by a name.

    Args:
        kind: ``i64``, ``double`` or ``i1``.
    """

    flow: "Flow"
    name: str
    kind: str

    def __add__(self, other: "Value | float") -> "Value":
        return self._with("+", other)

    def __sub__(self, other: "Value | int") -> "Value":
        return self._with("-", other)

    def __mul__(self, other: "Value | float") -> "Value":
        return self._with("*", other)

    def __and__(self, other: "Value | int") -> "Value":
        return self._with("&", other)

    def __or__(self, other: "Value") -> "Value":
        return self._with("|", other)

    def __lshift__(self, other: "Value") -> "Value":
        return self._with("<<", other)

    def __rshift__(self, other: "Value") -> "Value":
        return self._with(">>", other)

    def __lt__(self, other: "Value | float") -> "Value":
        return self._compared("lt", other)

    def __le__(self, other: "Value | float") -> "Value":
        return self._compared("le", other)

    def __ge__(self, other: "Value | float") -> "Value":
        return self._compared("ge", other)

    def __invert__(self) -> "Value":
        return self.flow.said("i1", f"xor i1 {self.name}, true")

    def equals(self, other: "Value | int") -> "Value":
        """Whether two whole numbers are one."""
        return self.flow.said("i1", f"icmp eq i64 {self.name}, {self.flow.operand(other, self.kind)}")

    def whole(self) -> "Value":
        """A number without its fraction, or a truth as 0 or 1."""
        return self.flow.said("i64", f"{'zext' if self.kind == 'i1' else 'fptosi'} {self.kind} {self.name} to i64")

    def _with(self, operation: str, other: "Value | float") -> "Value":
        names = _NUMBER if self.kind == "double" else _WHOLE
        return self.flow.said(
            self.kind, f"{names[operation]} {self.kind} {self.name}, {self.flow.operand(other, self.kind)}"
        )

    def _compared(self, how: str, other: "Value | float") -> "Value":
        """False where either is NaN."""
        test = f"fcmp o{how}" if self.kind == "double" else f"icmp s{how}"
        return self.flow.said("i1", f"{test} {self.kind} {self.name}, {self.flow.operand(other, self.kind)}")


@final
@dataclass(frozen=True, slots=True)
class Table:
    """Numbers of one kind, one behind the other in memory."""

    flow: "Flow"
    start: str
    kind: str

    def __getitem__(self, k: Value | int) -> Value:
        return self.flow.said(self.kind, f"load {self.kind}, ptr {self._at(k)}, align 8")

    def __setitem__(self, k: Value | int, value: Value | float) -> None:
        self.flow.line(f"store {self.kind} {self.flow.operand(value, self.kind)}, ptr {self._at(k)}, align 8")

    def after(self, n: int) -> "Table":
        """The same without its first ``n`` numbers."""
        return Table(self.flow, self._at(n), self.kind)

    def address(self, k: Value | int) -> Value:
        """Where number ``k`` stands, as a whole number."""
        return self.flow.said("i64", f"ptrtoint ptr {self._at(k)} to i64")

    def _at(self, k: Value | int) -> str:
        return self.flow.said("ptr", f"getelementptr inbounds {self.kind}, ptr {self.start}, i64 {_name(k)}").name


@final
@dataclass(slots=True)  # frozen would refuse the setter
class Variable:
    """A whole number that changes as the function goes on."""

    place: Table

    @property
    def now(self) -> Value:
        """What it is at this point."""
        return self.place[0]

    @now.setter
    def now(self, value: Value | int) -> None:
        self.place[0] = value


@final
@dataclass(frozen=True, slots=True)
class Flow:
    """A function that is being printed, line by line."""

    block: Block = field(default_factory=lambda: Block(1))
    takes: list[str] = field(default_factory=list)

    def number(self, name: str, kind: str) -> Value:
        """The next argument, a value."""
        self.takes.append(f"{kind} %{name}")
        return Value(self, f"%{name}", kind)

    def table(self, name: str, kind: str) -> Table:
        """The next argument, a table."""
        self.takes.append(f"ptr %{name}")
        return Table(self, f"%{name}", kind)

    def variable(self, start: Value | int) -> Variable:
        """A variable; they stand at the head of the function, before any loop."""
        made = Variable(Table(self, self.said("ptr", "alloca i64").name, "i64"))
        made.now = start
        return made

    def smaller(self, a: Value, b: Value) -> Value:
        """The smaller of two numbers."""
        return Value(self, self.block.smaller(a.name, b.name), "double")

    def call(self, name: str, *arguments: Value) -> None:
        """A function defined beside this one, which stays a function: within another it might be rounded otherwise."""
        self.line(f"call void @{name}({_list(arguments)}) noinline")

    def ask(self, name: str, *arguments: Value) -> Value:
        """The same, of one that answers with 32 bits."""
        answer = self.block.say(f"call i32 @{name}({_list(arguments)}) noinline")
        return self.said("i64", f"zext i32 {answer} to i64")

    @contextmanager
    def count(self, n: int) -> Iterator[Value]:
        """What is printed inside, for every whole number from 0 to ``n - 1``."""
        k = len(self.block.lines)
        self.line(f"br label %before{k}", f"before{k}:", f"br label %test{k}", f"test{k}:")
        self.line(f"%k{k} = phi i64 [ 0, %before{k} ], [ %next{k}, %again{k} ]")
        self.line(f"%more{k} = icmp slt i64 %k{k}, {n}", f"br i1 %more{k}, label %do{k}, label %after{k}", f"do{k}:")
        yield Value(self, f"%k{k}", "i64")
        self.line(f"br label %again{k}", f"again{k}:", f"%next{k} = add i64 %k{k}, 1", f"br label %test{k}")
        self.line(f"after{k}:")

    @contextmanager
    def repeat(self) -> Iterator[Callable[[Value], None]]:
        """What is printed inside, again and again, until what is yielded is called with something that holds."""
        k = len(self.block.lines)

        def leave(when: Value) -> None:
            here = len(self.block.lines)
            self.line(f"br i1 {when.name}, label %after{k}, label %stay{here}", f"stay{here}:")

        self.line(f"br label %repeat{k}", f"repeat{k}:")
        yield leave
        self.line(f"br label %repeat{k}", f"after{k}:")

    @contextmanager
    def when(self, holds: Value) -> Iterator[None]:
        """What is printed inside, if something holds."""
        k = len(self.block.lines)
        self.line(f"br i1 {holds.name}, label %when{k}, label %after{k}", f"when{k}:")
        yield
        self.line(f"br label %after{k}", f"after{k}:")

    def said(self, kind: str, instruction: str) -> Value:
        """An instruction's answer."""
        return Value(self, self.block.say(instruction), kind)

    def line(self, *lines: str) -> None:
        """Lines without an answer."""
        self.block.lines.extend(lines)

    def operand(self, value: Value | float, kind: str) -> str:
        """A value's name, or a number as it is written in this kind."""
        if isinstance(value, Value):
            return value.name
        return self.block.constant(value) if kind == "double" else str(int(value))

    def function(self, name: str) -> str:
        """All of it, as a function that answers nothing."""
        return self.block.function(f"void @{name}({', '.join(self.takes)})")


def _name(k: Value | int) -> str:
    return k.name if isinstance(k, Value) else str(k)


def _list(arguments: tuple[Value, ...]) -> str:
    return ", ".join(f"{argument.kind} {argument.name}" for argument in arguments)
