"""exp and log without branch, table or call, so that every lane takes the same instructions.

Polynomials are near-minimax (Chebyshev), computed to 40 digits for the reduced range; relative error of the polynomial
alone 1.2e-15 (exp) and 6.9e-16 (log). They are summed in pairs (Estrin), which shortens the wait. What they reach in
double precision is measured in tests/mechanism/test_lane_math.py; derivation: docs/theory/solver.md.
"""

import math
from typing import Final

from sevenfold.mechanism.printing import Block

__all__ = ["print_functions"]

# exp(r) = 1 + r + r² p(r), |r| <= ln 2 / 2; p's coefficients, ascending.
_EXP: Final = (
    0.5, 0.16666666666648288149, 0.041666666666651355025, 0.0083333333537293971516, 0.0013888888905881542497,
    0.00019841208732536383125, 0.000024801536388690767814, 2.7625115578287629342e-6, 2.7613806861538288093e-7,
)  # fmt: skip
# artanh(s)/s = 1 + z q(z), z = s², |s| <= (√2 - 1)/(√2 + 1); q's coefficients, ascending.
_ARTANH: Final = (
    0.33333333333331040218, 0.20000000005606099761, 0.14285712068258174181,
    0.1111143123842477031, 0.090700926012466231795, 0.083109735450886997443,
)  # fmt: skip
_LN2_HIGH, _LN2_LOW = 0.693147180369123816490, 1.90821492927058770002e-10  # their sum is ln 2 to 1e-26
_MAGIC = 6755399441055744.0  # 1.5 · 2^52: added to a whole number, it leaves that number in the lowest bits


def print_functions(lanes: int) -> str:
    """``lane_exp`` and ``lane_log`` for a width, with the intrinsics that blocks of this width may call.

    ``lane_exp`` holds its argument in [-700, 700]: it never overflows. ``lane_log`` of 0 is minus infinity, of a
    negative number NaN; of numbers below 2e-308 it is wrong.
    """
    block = Block(lanes)
    names = ("fabs", "rint", "sqrt")
    declared = "".join(f"declare {block.number} @llvm.{n}.{block.suffix}({block.number})\n" for n in names)
    return declared + _exp(lanes) + _log(lanes)


def _exp(lanes: int) -> str:
    """2^k · exp(r), with k the nearest whole number to x / ln 2."""
    b = Block(lanes)
    high, low = b.constant(700.0), b.constant(-700.0)
    x = b.choose(b.compare("ogt", "%x", high), high, "%x")  # in this order, NaN stays NaN
    x = b.choose(b.compare("olt", x, low), low, x)
    k = b.call(f"llvm.rint.{b.suffix}", b.arithmetic("*", x, b.constant(1.4426950408889634)))
    rest = b.arithmetic("-", x, b.arithmetic("*", k, b.constant(_LN2_HIGH)))
    r = b.arithmetic("-", rest, b.arithmetic("*", k, b.constant(_LN2_LOW)))
    p = b.arithmetic("*", b.arithmetic("*", r, r), _polynomial(b, _EXP, r))
    value = b.arithmetic("+", b.arithmetic("+", p, r), b.constant(1.0))
    shifted = b.say(f"bitcast {b.number} {b.arithmetic('+', k, b.constant(_MAGIC))} to {b.whole}")
    exponent = b.say(f"shl {b.whole} {shifted}, {b.bits(52)}")
    scale = b.say(f"add {b.whole} {exponent}, {b.bits(0x3FF0000000000000)}")
    power = b.say(f"bitcast {b.whole} {scale} to {b.number}")
    answer = b.arithmetic("*", value, power)
    return b.function(f"internal {b.number} @lane_exp({b.number} %x) alwaysinline", f"ret {b.number} {answer}")


def _log(lanes: int) -> str:
    """E ln 2 + 2 artanh((m - 1)/(m + 1)), for x = m 2^e with m from 1/√2 to √2."""
    b = Block(lanes)
    bits = b.say(f"bitcast {b.number} %x to {b.whole}")
    # Take the bits of 1/√2 off: what is left above the mantissa is e, whichever side of 1 the mantissa lies.
    moved = b.say(f"sub {b.whole} {bits}, {b.bits(0x3FE6A09E667F3BCD)}")
    e_bits = b.say(f"lshr {b.whole} {b.say(f'add {b.whole} {moved}, {b.bits(0x4000000000000000)}')}, {b.bits(52)}")
    e_float = b.say(f"or {b.whole} {e_bits}, {b.bits(0x4330000000000000)}")
    e = b.arithmetic("-", b.say(f"bitcast {b.whole} {e_float} to {b.number}"), b.constant(2.0**52 + 1024.0))
    e_back = b.say(f"and {b.whole} {moved}, {b.bits(-(2**52))}")
    m = b.say(f"bitcast {b.whole} {b.say(f'sub {b.whole} {bits}, {e_back}')} to {b.number}")
    one = b.constant(1.0)
    s = b.arithmetic("/", b.arithmetic("-", m, one), b.arithmetic("+", m, one))
    z = b.arithmetic("*", s, s)
    twice = b.arithmetic("+", s, s)
    tail = b.arithmetic("*", b.arithmetic("*", z, _polynomial(b, _ARTANH, z)), twice)
    low = b.arithmetic("+", tail, b.arithmetic("*", e, b.constant(_LN2_LOW)))
    value = b.arithmetic("+", b.arithmetic("+", low, twice), b.arithmetic("*", e, b.constant(_LN2_HIGH)))
    zero = b.constant(0.0)
    outside = b.choose(b.compare("oeq", "%x", zero), b.constant(-math.inf), b.constant(math.nan))
    answer = b.choose(b.compare("ogt", "%x", zero), value, outside)
    return b.function(f"internal {b.number} @lane_log({b.number} %x) alwaysinline", f"ret {b.number} {answer}")


def _polynomial(b: Block, coefficients: tuple[float, ...], x: str) -> str:
    """Σ c_i x^i, in pairs of pairs."""
    terms = [b.constant(c) for c in coefficients]
    while len(terms) > 1:
        pairs = [
            b.arithmetic("+", low, b.arithmetic("*", high, x))
            for low, high in zip(terms[::2], terms[1::2], strict=False)
        ]
        terms = pairs + ([terms[-1]] if len(terms) % 2 else [])
        if len(terms) > 1:
            x = b.arithmetic("*", x, x)
    return terms[0]
