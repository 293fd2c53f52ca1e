"""Nodes as LLVM instructions over a vector of lanes: one instruction does the same for every patient of a group.

The vector is a type of the language printed here, so nothing is left to a vectoriser that may or may not see it: where
the processor's registers are narrower, the compiler splits each instruction in two, which also keeps them busy.
"""

import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, final

from sevenfold.mechanism.expression import Node, in_order

__all__ = ["Block", "parameter_only"]

FAST: Final = "contract nsz arcp"
"""What the compiler may do: fuse a product and a sum, ignore the sign of zero, multiply by a shared reciprocal. Not:
reorder sums, or assume that nothing is infinite or NaN, on which the guards against failure depend."""

_ARITHMETIC: Final = {"+": "fadd", "-": "fsub", "*": "fmul", "/": "fdiv"}
_FUNCTIONS: Final = {"exp": "lane_exp", "log": "lane_log"}


@final
@dataclass(slots=True)
class Block:
    """Instructions in the order in which they are printed.

    Args:
        lanes: how many patients an instruction computes; 1 prints plain numbers.
    """

    lanes: int
    lines: list[str] = field(default_factory=list)

    @property
    def number(self) -> str:
        """The type of a quantity."""
        return self._type("double")

    @property
    def truth(self) -> str:
        """The type of a comparison."""
        return self._type("i1")

    @property
    def whole(self) -> str:
        """The type of a quantity's 64 bits."""
        return self._type("i64")

    @property
    def suffix(self) -> str:
        """By which the intrinsics for this width are told apart."""
        return f"v{self.lanes}f64" if self.lanes > 1 else "f64"

    def _type(self, of: str) -> str:
        return f"<{self.lanes} x {of}>" if self.lanes > 1 else of

    def constant(self, value: float) -> str:
        """A number in every lane, to the last bit."""
        bits = f"0x{struct.unpack('<Q', struct.pack('<d', value))[0]:016X}"
        return f"<{', '.join([f'double {bits}'] * self.lanes)}>" if self.lanes > 1 else bits

    def bits(self, value: int) -> str:
        """A whole number in every lane."""
        return f"<{', '.join([f'i64 {value}'] * self.lanes)}>" if self.lanes > 1 else str(value)

    def say(self, instruction: str) -> str:
        """A named instruction; answers the name."""
        name = f"%v{len(self.lines)}"
        self.lines.append(f"{name} = {instruction}")
        return name

    def arithmetic(self, operation: str, a: str, b: str) -> str:
        """``+ - * /`` of two quantities."""
        return self.say(f"{_ARITHMETIC[operation]} {FAST} {self.number} {a}, {b}")

    def compare(self, how: str, a: str, b: str) -> str:
        """An ordered comparison (``ogt``, ``ole`` …): false where either is NaN."""
        return self.say(f"fcmp {how} {self.number} {a}, {b}")

    def choose(self, when: str, a: str, b: str) -> str:
        """``a`` where ``when`` holds, else ``b``, lane by lane."""
        return self.say(f"select {self.truth} {when}, {self.number} {a}, {self.number} {b}")

    def larger(self, a: str, b: str) -> str:
        """The larger of two; the second where they compare as neither."""
        return self.choose(self.compare("ogt", a, b), a, b)

    def smaller(self, a: str, b: str) -> str:
        """The smaller of two; the second where they compare as neither."""
        return self.choose(self.compare("olt", a, b), a, b)

    def point(self, name: str, address: str) -> None:
        """A pointer of this name at an address that came as a whole number."""
        self.lines.append(f"%{name} = inttoptr i64 %{address} to ptr")

    def call(self, name: str, x: str) -> str:
        """A function of one quantity that is defined beside this block, or an intrinsic."""
        return self.say(f"call {FAST} {self.number} @{name}({self.number} {x})")

    def absolute(self, x: str) -> str:
        """The absolute value."""
        return self.call(f"llvm.fabs.{self.suffix}", x)

    def fetch(self, base: str, row: int, width: int) -> str:
        """Row ``row`` of a workspace whose rows are ``width`` wide."""
        at = self.say(f"getelementptr inbounds double, ptr {base}, i64 {row * width}")
        return self.say(f"load {self.number}, ptr {at}, align 8")

    def keep(self, value: str, base: str, row: int, width: int) -> None:
        """Store into row ``row``."""
        at = self.say(f"getelementptr inbounds double, ptr {base}, i64 {row * width}")
        self.lines.append(f"store {self.number} {value}, ptr {at}, align 8")

    def compute(self, roots: Iterable[Node], known: Mapping[int, str]) -> dict[int, str]:
        """Everything that the roots need, once; answers what each node is called.

        Args:
            known: what the nodes that are already there are called, by number.
        """
        names = dict(known)
        for node in in_order(roots, names):
            if node.is_constant():
                names[node.number] = self.constant(node.value)
            else:
                names[node.number] = self._one(node, [names[operand.number] for operand in node.operands])
        return names

    def _one(self, node: Node, a: list[str]) -> str:
        match node.operation:
            case "+" | "-" | "*" | "/":
                return self.arithmetic(node.operation, *a)
            case "maximum":
                return self.larger(*a)
            case "minimum":
                return self.smaller(*a)
            case "exp" | "log":
                return self.call(_FUNCTIONS[node.operation], a[0])
            case "power":
                return self.call("lane_exp", self.arithmetic("*", a[1], self.call("lane_log", a[0])))
            case "absolute":
                return self.absolute(a[0])
            case "select":
                return self.choose(self.compare("ogt", a[0], a[1]), a[2], a[3])
        raise AssertionError(f"{node.operation!r} of {node.name!r} has no instruction")

    def function(self, head: str, answer: str = "ret void") -> str:
        """The block as the body of a function."""
        return "\n".join([f"define {head} {{", *("  " + line for line in self.lines), f"  {answer}", "}", ""])


def parameter_only(roots: Iterable[Node]) -> list[Node]:
    """The nodes that depend on parameters alone and that other nodes use: worked out once a patient, not once a
    step.
    """
    roots = list(roots)
    used = {
        operand.number: operand
        for node in in_order(roots)
        if node.kinds != {"parameter"}
        for operand in node.operands
        if operand.kinds == {"parameter"}
    }
    used |= {root.number: root for root in roots if root.kinds == {"parameter"}}
    return [used[number] for number in sorted(used)]
