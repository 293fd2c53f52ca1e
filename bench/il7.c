/* The IL-7 model in C by hand: what the printed kernel is held against.

   The same algorithm: Rodas4 with the exact Jacobian, a group of patients as the lanes of one vector, for every lane a
   step, an error and a list of stops of its own (look first, change afterwards), and the next patient in the place of
   one that is done. What a person can add who knows the model is here too: the linear system is brought down by hand
   to two unknowns, the increments of plasma IL-7 and of its signal, because whatever else a step changes follows from
   these; states that nothing depends on (homing, B and NK cells) stay outside.

   Letters, as in docs/theory/il7.md:  A0 A1 A2 IL-7 in depot, plasma, periphery;  r4 r8 receptor;  E1 E2 signal on its
   way;  Z tolerance;  B survival;  H homing;  Q4 P4 Q8 P8 quiescent and cycling CD4 and CD8;  L N B and NK cells;
   C concentration, I inflammation, S signal above its threshold, D = 1/(1 + Z).

   A vector is one register (four patients with AVX2, eight with AVX-512): gcc splits wider ones badly, twice as slow.
   What helped, measured with AVX2: a stage as a function (its instructions then stay among the decoded ones) and combi-
   nations as loops, 14 %; the homeostatic drive first, so that its long wait is filled, and gcc's first scheduler, 15 %.
   Built with the flags in by_hand.py: of -ffast-math all but -ffinite-math-only (the guards against NaN and infinity
   would go) and -fassociative-math (the rounding in `expv` would go). */

#include <math.h>
#include <stdint.h>
#include <string.h>

#ifndef LANES
#ifdef __AVX512F__
#define LANES 8
#else
#define LANES 4
#endif
#endif

typedef double V __attribute__((vector_size(8 * LANES), aligned(8 * LANES)));
typedef int64_t M __attribute__((vector_size(8 * LANES), aligned(8 * LANES)));

enum { A0, A1, A2, r4, r8, E1, E2, Z, B, H, Q4, P4, Q8, P8, L, N, STATES };
enum { OUTPUTS = 10, STAGES = 6 };
enum { OK, VANISHED, TOO_MANY, NOT_FINITE };

/* What the caller gives, one row a name, one column a patient. */
const char *const il7_parameters =
    "absorbed_per_day clearance_l_per_day central_volume_l exchange_l_per_day peripheral_volume_l produced_ug_per_day "
    "receptor_turnover_per_day receptor_turnover_bound_per_day affinity_ng_per_ml receptor_capacity_ug "
    "half_signal_ng_per_ml signal_threshold signal_delay_per_day tolerance_on_per_day tolerance_off_per_day "
    "survival_on_per_day survival_off_per_day homing_per_day homing_max inflammation_at_entry inflammation_decay_day "
    "homeostatic_exponent septic_cycling_fall_fraction survival_max_fraction septic_death_per_day division_per_day "
    "cycling_loss_per_day cd4_setpoint_per_ul cd8_setpoint_per_ul cd4_cycling_per_day cd8_cycling_per_day "
    "cd4_cycling_max_per_day cd8_cycling_max_per_day cd4_loss_per_day cd8_loss_per_day cd4_thymic_per_ul_day "
    "cd8_thymic_per_ul_day b_nk_recovery_per_day b_setpoint_per_ul b_septic_fall_fraction nk_setpoint_per_ul "
    "nk_recovered_fraction nk_septic_fall_fraction sequestration other_lymphocytes_per_ul activation_at_rest_fraction "
    "activation_gain";

static const double SCALE[STATES] = {1e-1, 1e-2, 1e-1, 1e-1, 1e-1, 1e-2, 1e-2, 1e-1, 1e-2, 5e-2, 1, 1, 1, 1, 1, 1};

typedef struct { V setpoint_log, per_setpoint, cycling, cycling_max, loss, thymic; } Cell;

typedef struct {
    V y[STATES], in[2]; /* infusions into A0 and A1 */
    V time, stop, planned, last_step, last_error, error, taken;
    V ka, k10, k12, k21, k0, per_V1, kd, kf, kL, Kd, R0, EC50, S0, kE, kon, koff, kBon, kBoff, kH, Hmax, I0, per_tau;
    V gamma, fs, Bmax, ks, rho, rho_out, kr, Lset, Lfall, Nset, Nfall;
    V V1, hsep, other, rest, gain;
    Cell four, eight;
} Lanes;

static inline __attribute__((always_inline)) V all(double x) { V v = {0}; return v + x; }
static inline __attribute__((always_inline)) V pick(M when, V a, V b) { return (V)((when & (M)a) | (~when & (M)b)); }
#if defined(__AVX512F__) && LANES == 8 || defined(__AVX__) && LANES == 4
#include <immintrin.h>
#if LANES == 8
static inline V larger(V a, V b) { return (V)_mm512_max_pd((__m512d)a, (__m512d)b); }
static inline V smaller(V a, V b) { return (V)_mm512_min_pd((__m512d)a, (__m512d)b); }
static inline V root(V x) { return (V)_mm512_sqrt_pd((__m512d)x); }
#else
static inline V larger(V a, V b) { return (V)_mm256_max_pd((__m256d)a, (__m256d)b); }
static inline V smaller(V a, V b) { return (V)_mm256_min_pd((__m256d)a, (__m256d)b); }
static inline V root(V x) { return (V)_mm256_sqrt_pd((__m256d)x); }
#endif
#else
static inline V larger(V a, V b) { return pick(a > b, a, b); }
static inline V smaller(V a, V b) { return pick(a < b, a, b); }
static inline V root(V x) { for (int l = 0; l < LANES; l++) x[l] = sqrt(x[l]); return x; }
#endif
static inline V size(V x) { return (V)((M)x & INT64_MAX); }

/* 2^k exp(r), r within ln 2 / 2 of 0; polynomial by Chebyshev, relative error 1.2e-15. */
static inline V expv(V x)
{
    const double magic = 6755399441055744.0; /* 1.5 2^52 leaves a whole number in the lowest bits */
    x = smaller(all(700.0), larger(all(-700.0), x));
    V shifted = x * 1.4426950408889634 + magic, k = shifted - magic;
    V r = x - k * 0.693147180369123816490 - k * 1.90821492927058770002e-10, r2 = r * r, r4_ = r2 * r2;
    V p = (0.5 + 0.16666666666648288149 * r) + r2 * (0.041666666666651355025 + 0.0083333333537293971516 * r)
        + r4_ * ((0.0013888888905881542497 + 0.00019841208732536383125 * r)
                 + r2 * (0.000024801536388690767814 + 2.7625115578287629342e-6 * r) + r4_ * 2.7613806861538288093e-7);
    V scale = (V)(((M)shifted << 52) + 0x3FF0000000000000);
    return (1.0 + (r + r2 * p)) * scale;
}

/* E ln 2 + 2 artanh((m - 1)/(m + 1)), m from 1/sqrt 2 to sqrt 2, for positive x. */
static inline V logv(V x)
{
    M bits = (M)x, moved = bits - 0x3FE6A09E667F3BCD;
    M e_bits = (M)((unsigned long __attribute__((vector_size(8 * LANES))))(moved + 0x4000000000000000) >> 52);
    V e = (V)(e_bits | 0x4330000000000000) - (0x1p52 + 1024.0);
    V m = (V)(bits - (moved & ~0xFFFFFFFFFFFFF)), s = (m - 1.0) / (m + 1.0), z = s * s, z2 = z * z;
    V q = (0.33333333333331040218 + 0.20000000005606099761 * z) + z2 * (0.14285712068258174181 + 0.1111143123842477031 * z)
        + z2 * z2 * (0.090700926012466231795 + 0.083109735450886997443 * z);
    return (s + s) + z * q * (s + s) + e * 1.90821492927058770002e-10 + e * 0.693147180369123816490;
}

/* What a T cell's two pools do, and what their Jacobian needs. */
typedef struct { V entry, loss, crowding, gone, drive, dQ, dP; } Turnover;

/* (set point / T)^gamma, the homeostatic drive. */
static inline V drive(const Lanes *w, const Cell *c, V T)
{
    return smaller(expv(w->gamma * (c->setpoint_log - logv(larger(T, all(1.0))))), all(6.0));
}

static inline Turnover turnover(const Lanes *w, const Cell *c, V drive, V Q, V P, V I, V slowed, V kept, V ED)
{
    Turnover k;
    V T = Q + P, septic = w->ks * I;
    k.drive = drive;
    k.entry = c->cycling * k.drive * slowed + c->cycling_max * ED;
    k.crowding = c->loss * c->per_setpoint * T + septic;
    k.loss = k.crowding * kept;
    k.gone = w->rho_out + 0.5 * septic * kept;
    k.dQ = c->thymic + 2.0 * w->rho * P - (k.entry + k.loss) * Q;
    k.dP = k.entry * Q - k.gone * P;
    return k;
}

/* Everything of the rates that the Jacobian also uses. */
typedef struct {
    V C, per_Kd_C, bound, T4, T8, per_T, share, seen, per_EC50_seen, S, D, kept, slowed;
    Turnover four, eight;
} Parts;

static inline __attribute__((always_inline)) Parts rates(const Lanes *w, const V *y, V I, V *dy)
{
    Parts k;
    k.C = larger(y[A1], all(0.0)) * w->per_V1;
    k.T4 = y[Q4] + y[P4], k.T8 = y[Q8] + y[P8];
    V drive4 = drive(w, &w->four, k.T4), drive8 = drive(w, &w->eight, k.T8);
    V receptors = k.T4 * y[r4] + k.T8 * y[r8], T = k.T4 + k.T8, Kd_C = w->Kd + k.C, one_Z = 1.0 + y[Z];
    V both = 1.0 / (Kd_C * T); /* a division for two */
    k.per_Kd_C = both * T, k.per_T = both * Kd_C;
    k.bound = k.C * k.per_Kd_C;
    k.share = receptors * k.per_T, k.seen = k.share * k.C;
    V EC50_seen = w->EC50 + k.seen;
    both = 1.0 / (EC50_seen * one_Z);
    k.per_EC50_seen = both * one_Z, k.D = both * EC50_seen;
    k.S = larger(k.seen * k.per_EC50_seen - w->S0, all(0.0));
    k.kept = 1.0 - w->Bmax * y[B], k.slowed = 1.0 - w->fs * I;
    V outward = w->k12 * y[A1], inward = w->k21 * y[A2], absorbed = w->ka * y[A0];
    dy[A0] = w->in[0] - absorbed;
    dy[A1] = absorbed + w->k0 - w->k10 * y[A1] - outward + inward - w->kL * w->R0 * receptors * k.bound + w->in[1];
    dy[A2] = outward - inward;
    dy[r4] = w->kd - (w->kd + w->kf * k.bound) * y[r4];
    dy[r8] = w->kd - (w->kd + w->kf * k.bound) * y[r8];
    dy[E1] = w->kE * (k.S - y[E1]);
    dy[E2] = w->kE * (y[E1] - y[E2]);
    dy[Z] = w->kon * y[E2] - w->koff * y[Z];
    dy[B] = w->kBon * k.S * (1.0 - y[B]) - w->kBoff * y[B];
    dy[H] = w->kH * (w->Hmax * k.S * k.D - y[H]);
    dy[L] = w->kr * (w->Lset - w->Lfall * I - y[L]);
    dy[N] = w->kr * (w->Nset - w->Nfall * I - y[N]);
    V ED = y[E2] * k.D;
    k.four = turnover(w, &w->four, drive4, y[Q4], y[P4], I, k.slowed, k.kept, ED);
    k.eight = turnover(w, &w->eight, drive8, y[Q8], y[P8], I, k.slowed, k.kept, ED);
    dy[Q4] = k.four.dQ, dy[P4] = k.four.dP, dy[Q8] = k.eight.dQ, dy[P8] = k.eight.dP;
    return k;
}

/* A cell's 2 x 2 block, inverted, and its answer to the signal's increment. */
typedef struct { V e, b, a, c, u, m, n, Q_by_S, P_by_S, T_by_S; } Pair;

/* (1/(gamma h) - J), eliminated down to the increments of A1 and of S. */
typedef struct {
    V iA0, iA2, ir, iE, iZ, iB, iH, iN; /* reciprocals of the diagonal */
    V r4_by_A, r8_by_A, A2_by_A, E1_by_S, Z_by_E, B_by_S, H_by_S, H_by_Z, w_by_E, w_by_Z, w_by_S;
    V uptake_r4, uptake_r8, uptake_T4, uptake_T8, S_r4, S_r8, S_T4, S_T8; /* of A1's rate and of S */
    V x11, x12, x21, x22; /* the inverse of what is left */
    Pair four, eight;
} Factors;

static inline Pair pair(const Lanes *w, const Cell *c, const Turnover *k, V Q, V P, V G, V I, V kept, V slowed,
                        V w_by_S, V B_by_S)
{
    Pair f;
    V T = Q + P, inside = (V)((M)(w->gamma * k->drive / T) & (T > 1.0) & (k->drive < 6.0));
    V entry_by_T = -c->cycling * slowed * inside, loss_by_T = c->loss * c->per_setpoint * kept;
    V p = entry_by_T * Q, q = p + loss_by_T * Q;
    V a = G + k->entry + k->loss + q, b = q - 2.0 * w->rho, minus_c = k->entry + p, e = G + k->gone - p;
    V per_det = 1.0 / (a * e + b * minus_c);
    f.e = e * per_det, f.b = b * per_det, f.a = a * per_det, f.c = minus_c * per_det;
    f.u = c->cycling_max * Q, f.m = k->crowding * w->Bmax * Q, f.n = 0.5 * w->ks * I * w->Bmax * P;
    V rQ = f.m * B_by_S - f.u * w_by_S, rP = f.n * B_by_S + f.u * w_by_S;
    f.Q_by_S = f.e * rQ - f.b * rP, f.P_by_S = f.a * rP + f.c * rQ, f.T_by_S = f.Q_by_S + f.P_by_S;
    return f;
}

static inline __attribute__((always_inline)) void factorise(const Lanes *w, const V *y, const Parts *k, V G, V I, Factors *f)
{
    V gA0 = G + w->ka, gA2 = G + w->k21, gE = G + w->kE, gZ = G + w->koff, gH = G + w->kH, gN = G + w->kr;
    V gr = G + w->kd + w->kf * k->bound, gB = G + w->kBon * k->S + w->kBoff;
    V pA = 1.0 / (gA0 * gA2), pE = 1.0 / (gE * gZ), pH = 1.0 / (gH * gN), pr = 1.0 / (gr * gB); /* one for two */
    f->iA0 = pA * gA2, f->iA2 = pA * gA0, f->iE = pE * gZ, f->iZ = pE * gE, f->iH = pH * gN, f->iN = pH * gH;
    f->ir = pr * gB, f->iB = pr * gr;
    V bound_by_A = (V)((M)(w->Kd * k->per_Kd_C * k->per_Kd_C * w->per_V1) & (y[A1] > 0.0));
    V S_by_seen = (V)((M)(w->EC50 * k->per_EC50_seen * k->per_EC50_seen) & (k->S > 0.0));
    V S_by_C = S_by_seen * k->C * k->per_T;
    f->S_r4 = S_by_C * k->T4, f->S_r8 = S_by_C * k->T8;
    f->S_T4 = S_by_C * (y[r4] - k->share), f->S_T8 = S_by_C * (y[r8] - k->share);
    V S_A = (V)((M)(S_by_seen * k->share * w->per_V1) & (y[A1] > 0.0));
    V uptake = w->kL * w->R0 * k->bound;
    f->uptake_r4 = uptake * k->T4, f->uptake_r8 = uptake * k->T8;
    f->uptake_T4 = uptake * y[r4], f->uptake_T8 = uptake * y[r8];
    V lost = w->kf * bound_by_A * f->ir;
    f->r4_by_A = lost * y[r4], f->r8_by_A = lost * y[r8], f->A2_by_A = w->k12 * f->iA2;
    f->E1_by_S = w->kE * f->iE, f->Z_by_E = w->kon * f->iZ, f->B_by_S = w->kBon * (1.0 - y[B]) * f->iB;
    f->H_by_S = w->kH * w->Hmax * k->D * f->iH, f->H_by_Z = f->H_by_S * k->S * k->D;
    f->w_by_E = k->D, f->w_by_Z = y[E2] * k->D * k->D;
    V E2_by_S = f->E1_by_S * f->E1_by_S;
    f->w_by_S = (k->D - f->w_by_Z * f->Z_by_E) * E2_by_S;
    f->four = pair(w, &w->four, &k->four, y[Q4], y[P4], G, I, k->kept, k->slowed, f->w_by_S, f->B_by_S);
    f->eight = pair(w, &w->eight, &k->eight, y[Q8], y[P8], G, I, k->kept, k->slowed, f->w_by_S, f->B_by_S);
    V receptors = k->T4 * y[r4] + k->T8 * y[r8];
    V k11 = G + w->k10 + w->k12 + w->kL * w->R0 * receptors * bound_by_A - w->k21 * f->A2_by_A
          - f->uptake_r4 * f->r4_by_A - f->uptake_r8 * f->r8_by_A;
    V k12 = f->uptake_T4 * f->four.T_by_S + f->uptake_T8 * f->eight.T_by_S;
    V k21 = f->S_r4 * f->r4_by_A + f->S_r8 * f->r8_by_A - S_A;
    V k22 = 1.0 - f->S_T4 * f->four.T_by_S - f->S_T8 * f->eight.T_by_S;
    V per_det = 1.0 / (k11 * k22 - k12 * k21);
    f->x11 = k22 * per_det, f->x12 = -k12 * per_det, f->x21 = -k21 * per_det, f->x22 = k11 * per_det;
}

static inline __attribute__((always_inline)) void solve(const Lanes *w, const Factors *f, const V *R, V *x)
{
    V a0 = R[A0] * f->iA0, a2 = R[A2] * f->iA2, a4 = R[r4] * f->ir, a8 = R[r8] * f->ir;
    V e1 = R[E1] * f->iE, e2 = R[E2] * f->iE + f->E1_by_S * e1, z = R[Z] * f->iZ + f->Z_by_E * e2, b = R[B] * f->iB;
    V v = f->w_by_E * e2 - f->w_by_Z * z;
    V rQ = R[Q4] - f->four.u * v + f->four.m * b, rP = R[P4] + f->four.u * v + f->four.n * b;
    V q4 = f->four.e * rQ - f->four.b * rP, p4 = f->four.a * rP + f->four.c * rQ, T4 = q4 + p4;
    rQ = R[Q8] - f->eight.u * v + f->eight.m * b, rP = R[P8] + f->eight.u * v + f->eight.n * b;
    V q8 = f->eight.e * rQ - f->eight.b * rP, p8 = f->eight.a * rP + f->eight.c * rQ, T8 = q8 + p8;
    V one = (R[A1] + w->ka * a0 + w->k21 * a2 - f->uptake_r4 * a4 - f->uptake_r8 * a8)
          - (f->uptake_T4 * T4 + f->uptake_T8 * T8);
    V two = (f->S_r4 * a4 + f->S_r8 * a8) + (f->S_T4 * T4 + f->S_T8 * T8);
    V A = f->x11 * one + f->x12 * two, S = f->x21 * one + f->x22 * two;
    x[A0] = a0, x[A1] = A, x[A2] = a2 + f->A2_by_A * A, x[r4] = a4 - f->r4_by_A * A, x[r8] = a8 - f->r8_by_A * A;
    x[E1] = e1 = e1 + f->E1_by_S * S;
    x[E2] = e2 = R[E2] * f->iE + f->E1_by_S * e1;
    x[Z] = z = R[Z] * f->iZ + f->Z_by_E * e2;
    x[B] = b + f->B_by_S * S;
    x[Q4] = q4 + f->four.Q_by_S * S, x[P4] = p4 + f->four.P_by_S * S;
    x[Q8] = q8 + f->eight.Q_by_S * S, x[P8] = p8 + f->eight.P_by_S * S;
    x[H] = R[H] * f->iH + f->H_by_S * S - f->H_by_Z * z;
    x[L] = R[L] * f->iN, x[N] = R[N] * f->iN;
}

/* Rodas4, [hairer1996], in the transformed variables. */
static const double TIME[STAGES] = {0.0, 0.386, 0.21, 0.63, 1.0, 1.0};
static const double SLOPE[STAGES] = {0.25, -0.1043, 0.1035, -0.0362, 0.0, 0.0};
static const double A[STAGES][STAGES - 1] = {
    {0}, {1.544}, {0.9466785280815826, 0.2557011698983284},
    {3.314825187068521, 2.896124015972201, 0.9986419139977817},
    {1.221224509226641, 6.019134481288629, 12.53708333932087, -0.6878860361058950},
    {1.221224509226641, 6.019134481288629, 12.53708333932087, -0.6878860361058950, 1.0},
};
static const double CJ[STAGES][STAGES - 1] = {
    {0}, {-5.6688}, {-2.430093356833875, -0.2063599157091915},
    {-0.1073529058151375, -9.594562251023355, -20.47028614809616},
    {7.496443313967647, -10.24680431464352, -33.99990352819905, 11.70890893206160},
    {8.083246795921522, -7.981132988064893, -31.52159432874371, 16.31930543123136, -6.058818238834054},
};

/* Rates at a stage's argument, what earlier stages add, and the increment that follows. */
static __attribute__((noinline)) void stage(const Lanes *w, const Factors *f, const V *y, V I, const V *add, V *x)
{
    V dy[STATES];
    rates(w, y, I, dy);
    for (int k = 0; k < STATES; k++) dy[k] += add[k];
    solve(w, f, dy, x);
}

/* One step for every lane, counted or not; answers the lanes that want attention, a bit each. */
static int step(Lanes *w, double tolerance)
{
    V left = w->stop - w->time;
    V h = pick(left <= w->planned * 1.1, left, pick(left <= w->planned * 2.0, left * 0.5, w->planned));
    V per_h = 1.0 / h, now = w->time, u[STAGES][STATES], at[STATES], add[STATES];
    Factors f;
    V I = w->I0 * expv(-now * w->per_tau);
    Parts k = rates(w, w->y, I, add);
    factorise(w, w->y, &k, 4.0 * per_h, I, &f);

    /* the rates' derivative by time, times the step: only inflammation knows the time */
    V hI = -h * I * w->per_tau, slope[STATES];
    memset(slope, 0, sizeof slope);
    V by4 = w->four.cycling * k.four.drive * w->fs, by8 = w->eight.cycling * k.eight.drive * w->fs, die = w->ks * k.kept;
    slope[Q4] = hI * (by4 - die) * w->y[Q4], slope[P4] = -hI * (by4 * w->y[Q4] + 0.5 * die * w->y[P4]);
    slope[Q8] = hI * (by8 - die) * w->y[Q8], slope[P8] = -hI * (by8 * w->y[Q8] + 0.5 * die * w->y[P8]);
    slope[L] = -hI * w->kr * w->Lfall, slope[N] = -hI * w->kr * w->Nfall;
    for (int i = Q4; i < STATES; i++) add[i] += SLOPE[0] * slope[i];
    solve(w, &f, add, u[0]);

#define STAGE(s, ARGUMENT, EARLIER)                                                                    \
    for (int i = 0; i < STATES; i++) {                                                                 \
        at[i] = ARGUMENT;                                                                              \
        add[i] = (EARLIER) * per_h;                                                                    \
    }                                                                                                  \
    if (SLOPE[s] != 0.0)                                                                               \
        for (int i = Q4; i < STATES; i++) add[i] += SLOPE[s] * slope[i];                               \
    if (s < 5) I = w->I0 * expv(-(now + TIME[s] * h) * w->per_tau);                                    \
    stage(w, &f, at, I, add, u[s]);
#define U(s, j) CJ[s][j] * u[j][i]
    STAGE(1, w->y[i] + A[1][0] * u[0][i], U(1, 0))
    STAGE(2, w->y[i] + A[2][0] * u[0][i] + A[2][1] * u[1][i], U(2, 0) + U(2, 1))
    STAGE(3, w->y[i] + A[3][0] * u[0][i] + A[3][1] * u[1][i] + A[3][2] * u[2][i], U(3, 0) + U(3, 1) + U(3, 2))
    STAGE(4, (w->y[i] + A[4][0] * u[0][i] + A[4][1] * u[1][i]) + (A[4][2] * u[2][i] + A[4][3] * u[3][i]),
          (U(4, 0) + U(4, 1)) + (U(4, 2) + U(4, 3)))
    STAGE(5, at[i] + u[4][i], (U(5, 0) + U(5, 1)) + (U(5, 2) + U(5, 3)) + U(5, 4))

    V total = all(0.0), most = all(0.0), four = all(0.0), after[STATES];
    for (int i = 0; i < STATES; i += 2) { /* a/s + b/t = (a t + b s)/(s t) */
        after[i] = at[i] + u[5][i], after[i + 1] = at[i + 1] + u[5][i + 1];
        V s = SCALE[i] + larger(size(w->y[i]), size(after[i]));
        V t = SCALE[i + 1] + larger(size(w->y[i + 1]), size(after[i + 1]));
        V a = u[5][i] * t, b = u[5][i + 1] * s, st = s * t;
        V two = (a * a + b * b) / (st * st);
        total += two;
        four = i % 4 ? four + two : two;
        if (i % 4) most = larger(four, most); /* the four that err most: a quarter of theirs, if that is more */
    }
    V error = larger(most * 0.25, total * (1.0 / STATES)) / (tolerance * tolerance);

    /* control: [hairer1996] IV.8, Gustafsson's predictive controller */
    M counts = error <= 1.0, arrives = counts & (h >= left);
    for (int i = 0; i < STATES; i++) w->y[i] = pick(counts, after[i], w->y[i]);
    w->time = pick(arrives, w->stop, pick(counts, now + h, now));
    V err = root(larger(error, all(1e-8)));
    V factor = 0.85 / root(root(err));
    V predicted = factor * (h / w->last_step) * root(root(w->last_error / err));
    factor = pick(counts, pick(w->last_step > 0.0, predicted, factor), smaller(factor, all(0.9)));
    factor = larger(smaller(factor, all(5.0)), all(0.2));
    factor = pick(error <= 1e30, factor, all(0.2));
    V proposed = h * factor;
    M cut = h < w->planned, remembers = counts & ~cut;
    V next = pick(counts & cut & (factor >= 1.0), larger(proposed, w->planned), proposed);
    w->planned = next;
    w->last_step = pick(remembers, h, w->last_step), w->last_error = pick(remembers, err, w->last_error);
    w->error = error;
    w->taken += 1.0;
    M wanted = arrives | (next < 1e-12) | (w->taken >= 2e5);
    int bits = 0;
    for (int l = 0; l < LANES; l++) bits |= (int)(wanted[l] & 1) << l;
    return bits;
}

static void load(Lanes *w, int l, const double *p, int64_t stride)
{
    enum { ka, CL, V1, Q, V2, k0, kd, kL, Kd, R0, EC50, S0, kE, kon, koff, kBon, kBoff, kH, Hmax, I0, tau, gamma, fs, Bmax,
           ks, rho, rhoP, T4s, T8s, c4, c8, m4, m8, l4, l8, th4, th8, kr, Ls, fL, Ns, fN, fNK, hsep, other, rest, gain };
#define P(name) p[(name) * stride]
    w->ka[l] = P(ka), w->k10[l] = P(CL) / P(V1), w->k12[l] = P(Q) / P(V1), w->k21[l] = P(Q) / P(V2), w->k0[l] = P(k0);
    w->per_V1[l] = 1.0 / P(V1), w->V1[l] = P(V1), w->kd[l] = P(kd), w->kf[l] = P(kL) - P(kd), w->kL[l] = P(kL);
    w->Kd[l] = P(Kd), w->R0[l] = P(R0) / (P(T4s) + P(T8s)), w->EC50[l] = P(EC50), w->S0[l] = P(S0), w->kE[l] = P(kE);
    w->kon[l] = P(kon), w->koff[l] = P(koff), w->kBon[l] = P(kBon), w->kBoff[l] = P(kBoff), w->kH[l] = P(kH);
    w->Hmax[l] = P(Hmax), w->I0[l] = P(I0), w->per_tau[l] = 1.0 / P(tau), w->gamma[l] = P(gamma), w->fs[l] = P(fs);
    w->Bmax[l] = P(Bmax), w->ks[l] = P(ks), w->rho[l] = P(rho), w->rho_out[l] = P(rho) + P(rhoP), w->kr[l] = P(kr);
    w->Lset[l] = P(Ls), w->Lfall[l] = P(Ls) * P(fL), w->Nset[l] = P(fN) * P(Ns), w->Nfall[l] = P(fN) * P(Ns) * P(fNK);
    w->hsep[l] = P(hsep), w->other[l] = P(other), w->rest[l] = P(rest), w->gain[l] = P(gain);
    w->four.setpoint_log[l] = log(P(T4s)), w->four.per_setpoint[l] = 1.0 / P(T4s), w->four.cycling[l] = P(c4);
    w->four.cycling_max[l] = P(m4), w->four.loss[l] = P(l4), w->four.thymic[l] = P(th4);
    w->eight.setpoint_log[l] = log(P(T8s)), w->eight.per_setpoint[l] = 1.0 / P(T8s), w->eight.cycling[l] = P(c8);
    w->eight.cycling_max[l] = P(m8), w->eight.loss[l] = P(l8), w->eight.thymic[l] = P(th8);
#undef P
}

static void observe(const Lanes *w, int l, double *seen)
{
    double I = w->I0[l] * exp(-w->time[l] * w->per_tau[l]), in_blood = 1.0 / (1.0 + w->y[H][l] + w->hsep[l] * I);
    double T4 = w->y[Q4][l] + w->y[P4][l], T8 = w->y[Q8][l] + w->y[P8][l];
    seen[0] = w->y[A1][l] / w->V1[l];
    seen[1] = T4 * in_blood, seen[2] = T8 * in_blood;
    seen[3] = (T4 + T8) * in_blood + w->y[L][l] + w->y[N][l] + w->other[l];
    seen[4] = w->y[P4][l] / T4, seen[5] = w->y[P8][l] / T8, seen[6] = w->y[r4][l];
    seen[7] = w->rest[l] * (1.0 + w->gain[l] * w->y[E2][l]);
    seen[8] = w->y[L][l], seen[9] = w->y[N][l];
}

/* The table of stops, as sevenfold.mechanism.stops makes it. */
typedef struct {
    const int64_t *first, *last;
    const double *day;
    const int64_t *row;
    const double *factor, *step;
    const int64_t *look, *amount_first;
    const double *amounts;
    const int64_t *seen_first;
} Stops;

/* What stands at the stops that the lane's time has reached; answers whether that was the last. */
static int pass(Lanes *w, int l, int64_t i, int64_t *at_stop, const Stops *stops, double *seen)
{
    int64_t s = at_stop[l];
    for (; s < stops->last[i] && stops->day[s] <= w->time[l] + 1e-12; s++) {
        if (stops->look[s] >= 0) observe(w, l, seen + OUTPUTS * (stops->seen_first[i] + stops->look[s]));
        if (stops->row[s] >= 0) {
            int64_t row = stops->row[s];
            V *x = row < STATES ? &w->y[row] : &w->in[row - STATES];
            (*x)[l] = stops->factor[s] * (*x)[l] + stops->amounts[stops->amount_first[i] + s - stops->first[i]];
            w->planned[l] = fmin(w->planned[l], stops->step[s]);
            w->last_step[l] = 0.0;
        }
    }
    at_stop[l] = s;
    if (s == stops->last[i]) return 1;
    w->stop[l] = stops->day[s];
    return 0;
}

static void take_up(Lanes *w, int l, int64_t i, const double *p, int64_t n, const double *start, const double *states)
{
    load(w, l, p + i, n);
    for (int k = 0; k < STATES; k++) w->y[k][l] = states[i * STATES + k];
    w->in[0][l] = w->in[1][l] = 0.0;
    w->time[l] = start[i], w->stop[l] = INFINITY;
    w->planned[l] = 0.01, w->last_step[l] = 0.0, w->last_error[l] = 0.0, w->taken[l] = -INFINITY;
}

/* Bring n patients through their stops. Parameters are (parameter, patient), states (patient, state). */
void il7_follow(int64_t n, double tolerance, const double *parameters, const double *start, const double *states,
                const Stops *stops, double *seen, int64_t *status, int64_t *n_steps)
{
    Lanes w;
    int64_t patient[LANES], at_stop[LANES], waiting = 0, busy = 0;
    memset(&w, 0, sizeof w);
    for (int l = 0; l < LANES; l++) patient[l] = -1, take_up(&w, l, 0, parameters, n, start, states);
    for (;;) {
        for (int l = 0; l < LANES; l++)
            while (patient[l] < 0 && waiting < n) {
                int64_t i = waiting++;
                take_up(&w, l, i, parameters, n, start, states);
                w.taken[l] = 0.0, at_stop[l] = stops->first[i];
                if (!pass(&w, l, i, at_stop, stops, seen)) patient[l] = i, busy++;
                else w.stop[l] = INFINITY, w.taken[l] = -INFINITY;
            }
        if (busy == 0) return;
        int wanted = 0;
        while (!wanted) wanted = step(&w, tolerance);
        for (int l = 0; l < LANES; l++) {
            int64_t i = patient[l];
            if (i < 0 || !(wanted >> l & 1)) continue;
            if (w.time[l] >= w.stop[l]) {
                if (!pass(&w, l, i, at_stop, stops, seen)) continue;
            } else
                status[i] = !isfinite(w.error[l]) ? NOT_FINITE : w.planned[l] < 1e-12 ? VANISHED : TOO_MANY;
            n_steps[i] = (int64_t)w.taken[l];
            w.stop[l] = INFINITY, w.taken[l] = -INFINITY;
            patient[l] = -1, busy--;
        }
    }
}
