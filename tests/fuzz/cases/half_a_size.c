/* kept by the fuzzer: a schedule runs (n - 1)/2 for the iterator that 2 * i + 1 == n fixes */
/* random affine program, seeds: 777016 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static double f777016_out;
static unsigned g_f777016_A[135];
static unsigned f777016_B[9];
static unsigned f777016_C[10];
static void f777016(int n, int f777016_A_1, unsigned *f777016_A)
{
    int i;
#pragma scop
    for (i = n - 1; i >= 0; i--) {
        f777016_A[(2 * i) * f777016_A_1 + i] = 4u * f777016_B[i + 2] - 9u;
    }
    for (int i = 0; i < n + 1; i++) {
        f777016_B[-i + 7] = i - 4u;
        if (i <= i && i <= 3) {
            if (2 * i + 1 == n) {
                for (int j = i; j < i + 1; j++) {
                    for (int k = 0; k < n - 1; k++) {
                        if (f777016_B[i + 1] != f777016_B[j])
                            f777016_C[j + 2] *= f777016_A[(j + i) * f777016_A_1 + i + 1];
                    }
                }
            } else {
                for (int j = i + 2; j >= 0; j--) {
                    for (int k = 2; k < n; k += 3) {
                        f777016_C[-j + 9] = f777016_B[k] + f777016_C[i + 2] + f777016_C[-j + 9];
                    }
                }
            }
        }
    }
#pragma endscop
}
static void init_f777016(void)
{
    f777016_out = 0;
    unsigned *p0 = &g_f777016_A[0];
    for (int q = 0; q < 135; q++)
        p0[q] = (q * 3 + 0) % 11;
    unsigned *p1 = &f777016_B[0];
    for (int q = 0; q < 9; q++)
        p1[q] = (q * 5 + 1) % 11;
    unsigned *p2 = &f777016_C[0];
    for (int q = 0; q < 10; q++)
        p2[q] = (q * 7 + 2) % 11;
}
static void drive_f777016(void)
{
    init_f777016();
    f777016(7, 9, g_f777016_A);
    printf("%a\n", f777016_out);
    { unsigned *p0 = &g_f777016_A[0];
    for (int q = 0; q < 135; q++)
        printf("%u\n", p0[q]); }
    { unsigned *p1 = &f777016_B[0];
    for (int q = 0; q < 9; q++)
        printf("%u\n", p1[q]); }
    { unsigned *p2 = &f777016_C[0];
    for (int q = 0; q < 10; q++)
        printf("%u\n", p2[q]); }
    init_f777016();
    f777016(0, 9, g_f777016_A);
    printf("%a\n", f777016_out);
    { unsigned *p0 = &g_f777016_A[0];
    for (int q = 0; q < 135; q++)
        printf("%u\n", p0[q]); }
    { unsigned *p1 = &f777016_B[0];
    for (int q = 0; q < 9; q++)
        printf("%u\n", p1[q]); }
    { unsigned *p2 = &f777016_C[0];
    for (int q = 0; q < 10; q++)
        printf("%u\n", p2[q]); }
    init_f777016();
    f777016(2, 9, g_f777016_A);
    printf("%a\n", f777016_out);
    { unsigned *p0 = &g_f777016_A[0];
    for (int q = 0; q < 135; q++)
        printf("%u\n", p0[q]); }
    { unsigned *p1 = &f777016_B[0];
    for (int q = 0; q < 9; q++)
        printf("%u\n", p1[q]); }
    { unsigned *p2 = &f777016_C[0];
    for (int q = 0; q < 10; q++)
        printf("%u\n", p2[q]); }
}

int main(void)
{
    drive_f777016();
    return 0;
}
