#pragma once
/*
 * weight - cpu shares of v1 (2..262144, usually 1024) as cpu.weight of v2 (1..10000, usually 100).
 *
 * runc 1.3 and crun 1.23 replaced the linear rule by a curve through the minimum, the default and the maximum:
 * 10^((l^2 + 125 l) / 612 - 7/34) with l = log2(shares), rounded up.
 */
#include <stdint.h>

uint64_t weight_of_shares(uint64_t shares);
