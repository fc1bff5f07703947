/* isl prints a wrong guard for one of the tiled schedules of this program:
 * a statement runs one step of an inner loop too early, before another that it depends
 * on. The same with isl alone (islpy 2026.2): for
 *   domain   { S1[i] : 0 <= i <= 4; S3[3, k] : 0 <= k <= 3;
 *              S0[i, k] : 0 <= i <= 4 and 0 <= k <= 4 }
 *   bands    S1 -> i, S3 -> 3, S0 -> i;  S1 -> 60 - 4i, S3 -> 14 + 18k, S0 -> 20 + 12k;
 *            S1 -> 0, S3 -> -2k, S0 -> -k
 * it prints `if (4 * c0 + c1 == 56) S1(c0);` instead of 60. Found by seed 24.
 */
#include <math.h>
#include <stdio.h>

static double f24_out;
static double g_f24_A[210];
static void f24(int f24_A_1, double *f24_A)
{
    int k;
#pragma scop
    for (int i = 0; i <= 4; i++) {
        for (int j = 1; j < 5; j++) {
            for (k = 0; k < j + 3; k++) {
                if ((-j + 2 * k + 4) % 2 == 0) {
                    f24_A[(-j + 4) * f24_A_1 + k] = 0.5 * j - 0.1 * f24_A[(j + 2) * f24_A_1 + j + i] - f24_A[i * f24_A_1 + -k - j + 10];
                } else {
                    f24_A[(2 * k + 1) * f24_A_1 + j + k + 2] = -k > k ? f24_A[i * f24_A_1 + j] + 0.25 - f24_A[(2 * k + 1) * f24_A_1 + j + k + 2] : f24_A[(2 * k + 1) * f24_A_1 + j + i];
                    f24_A[j * f24_A_1 + k + 2 * j] += f24_A[(j + 1) * f24_A_1 + j];
                    if (i == 3) {
                        f24_A[(j + 1) * f24_A_1 + j + k] = f24_A[(2 * k) * f24_A_1 + j] < f24_A[(j + 1) * f24_A_1 + j + k] ? f24_A[(2 * k) * f24_A_1 + j] : f24_A[(j + 1) * f24_A_1 + j + k];
                    }
                }
            }
        }
    }
#pragma endscop
}
static void init_f24(void)
{
    f24_out = 0;
    double *p0 = &g_f24_A[0];
    for (int q = 0; q < 210; q++)
        p0[q] = (q * 3 + 0) % 11 / 4.0;
}
static void drive_f24(void)
{
    init_f24();
    f24(15, g_f24_A);
    printf("%a\n", f24_out);
    { double *p0 = &g_f24_A[0];
    for (int q = 0; q < 210; q++)
        printf("%a\n", p0[q]); }
}

int main(void)
{
    drive_f24();
    return 0;
}

