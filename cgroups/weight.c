#include "cgroups/weight.h"

#include <math.h>

/*
 * log2 and 10^x by hand: the libraries that have them would be loaded at every exec, for one limit that few use.
 * A test compares every value with libm.
 */
static double log2_of(uint64_t n)
{
        int e = 63 - __builtin_clzll(n);
        double m = (double) n / (double) (UINT64_C(1) << e); /* 1 <= m < 2 */
        double t = (m - 1) / (m + 1), square = t * t, power = t, sum = 0;
        for (int i = 1; i < 40; i += 2, power *= square)
                sum += power / i;
        return e + 2 * sum / M_LN2;
}

static double ten_to(double x)
{
        double y = x * M_LN10, sum = 1, term = 1;
        for (int i = 1; i < 60; i++) {
                term *= y / i;
                sum += term;
        }
        return sum;
}

uint64_t weight_of_shares(uint64_t shares)
{
        if (shares <= 2)
                return 1;
        if (shares >= 262144)
                return 10000;
        double l = log2_of(shares);
        double w = ten_to((l * l + 125 * l) / 612.0 - 7.0 / 34.0);
        uint64_t whole = (uint64_t) w;
        /* What is above a whole number by no more than our rounding is that number: 1024 is exactly 100. */
        return w - (double) whole > 1e-9 ? whole + 1 : whole;
}
