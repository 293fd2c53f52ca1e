"""exp, log and power without branch or call, so that eight patients are computed by one instruction.

This text becomes part of every printed kernel (the line below marks where it begins), so that a change here is a new
kernel. Relative errors, measured on 100,001 points each: exp 1.1e-14 on [-700, 700], log 4e-15 absolute, power 1.1e-14.
Derivation: docs/theory/solver.md.
"""

import numba as nb
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

# --- printed from here ---

inline = nb.njit(forceinline=True, error_model="numpy", fastmath={"contract", "reassoc", "nsz", "arcp"})


@intrinsic
def bits_of(_context, _number):
    """The 64 bits of a float, as an integer."""
    return types.int64(types.float64), lambda _c, b, _s, a: b.bitcast(a[0], ir.IntType(64))


@intrinsic
def float_of(_context, _bits):
    """The float with these 64 bits."""
    return types.float64(types.int64), lambda _c, b, _s, a: b.bitcast(a[0], ir.DoubleType())


@intrinsic
def nearest(_context, _number):
    """The nearest whole number, as a float."""

    def generate(_c, b, _s, a):
        return b.call(b.module.declare_intrinsic("llvm.rint", [ir.DoubleType()]), a)

    return types.float64(types.float64), generate


@inline
def lane_exp(x):
    """2**k times a Taylor polynomial of degree 11 on [-ln 2/2, ln 2/2]."""
    x = min(max(x, -700.0), 700.0)
    k = nearest(x * 1.4426950408889634)
    r = (x - k * 0.693147180369123816490) - k * 1.90821492927058770002e-10
    q = 1 / 39916800.0
    q = q * r + 1 / 3628800.0
    q = q * r + 1 / 362880.0
    q = q * r + 1 / 40320.0
    q = q * r + 1 / 5040.0
    q = q * r + 1 / 720.0
    q = q * r + 1 / 120.0
    q = q * r + 1 / 24.0
    q = q * r + 1 / 6.0
    q = q * r + 0.5
    q = q * r + 1.0
    q = q * r + 1.0
    return q * float_of((bits_of(k + 6755399441055744.0) << 52) + 4607182418800017408)


@inline
def lane_log(x):
    """E ln 2 + 2 artanh((m - 1)/(m + 1)), for positive normal numbers m 2**e."""
    bits = bits_of(x)
    e = float_of((bits >> 52) | 4841369599423283200) - 4503599627371519.0
    m = float_of((bits & 4503599627370495) | 4607182418800017408)
    above = m > 1.4142135623730951
    m = 0.5 * m if above else m
    e = e + 1.0 if above else e
    s = (m - 1.0) / (m + 1.0)
    z = s * s
    q = 1 / 19.0
    q = q * z + 1 / 17.0
    q = q * z + 1 / 15.0
    q = q * z + 1 / 13.0
    q = q * z + 1 / 11.0
    q = q * z + 1 / 9.0
    q = q * z + 1 / 7.0
    q = q * z + 1 / 5.0
    q = q * z + 1 / 3.0
    q = q * z + 1.0
    return e * 0.6931471805599453 + 2.0 * s * q


@inline
def lane_power(x, exponent):
    """exp(exponent ln x), for positive x."""
    return lane_exp(exponent * lane_log(x))
