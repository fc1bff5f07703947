/* isl's dataflow analysis ends with an internal error on this program ("affine
 * expression involves some of the domain dimensions"): a guard that is a union of two
 * parities, around a reversed loop. Every command ended with "this is a bug".
 * Found by seed 6184.
 */
#include <math.h>
#include <stdio.h>

static double f6184_out;
static unsigned g_f6184_A[325];
static unsigned f6184_B[9];
static unsigned f6184_C[19];
static void f6184(int f6184_A_1, unsigned *f6184_A)
{
    unsigned s = 1;
    unsigned t0 = 0;
#pragma scop
    for (int i = 0; i < 6; i++) {
        for (int j = i + 1; j >= 1; j--) {
            for (int k = 1; k < j + 1; k++) {
                if ((k + i) % 2 == 1 || i >= 2) {
                    f6184_C[k + 2] = f6184_A[(2 * i + 2 * j + 2) * f6184_A_1 + -k + 6] + 5u + 7u - f6184_C[k + 2];
                    f6184_C[j + i - 1] = f6184_B[-j + 6];
                }
            }
        }
    }
#pragma endscop
}
static void init_f6184(void)
{
    f6184_out = 0;
    unsigned *p0 = &g_f6184_A[0];
    for (int q = 0; q < 325; q++)
        p0[q] = (q * 3 + 0) % 11;
    unsigned *p1 = &f6184_B[0];
    for (int q = 0; q < 9; q++)
        p1[q] = (q * 5 + 1) % 11;
    unsigned *p2 = &f6184_C[0];
    for (int q = 0; q < 19; q++)
        p2[q] = (q * 7 + 2) % 11;
}
static void drive_f6184(void)
{
    init_f6184();
    f6184(13, g_f6184_A);
    printf("%a\n", f6184_out);
    { unsigned *p0 = &g_f6184_A[0];
    for (int q = 0; q < 325; q++)
        printf("%u\n", p0[q]); }
    { unsigned *p1 = &f6184_B[0];
    for (int q = 0; q < 9; q++)
        printf("%u\n", p1[q]); }
    { unsigned *p2 = &f6184_C[0];
    for (int q = 0; q < 19; q++)
        printf("%u\n", p2[q]); }
}

int main(void)
{
    drive_f6184();
    return 0;
}
