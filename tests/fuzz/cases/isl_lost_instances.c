/* isl's AST builder loses instances of one of the tiled schedules of this program: a
 * point loop of stride 2 whose start depends on i/3 is printed as a single iteration. The
 * same with isl alone (islpy 2026.2): for
 *   domain   [n] -> { S[i, j] : i mod 3 = 0 and (i + 3j) mod 6 = 0 and 0 <= i < n
 *                               and 0 <= j <= 2 + i }
 *   bands    i - i mod 2, j - j mod 3;  i, j
 * it prints no loop over j, so that S[0, 2] never runs. Found by seed 269.
 */
#include <math.h>
#include <stdio.h>

static double f269_out;
static double g_f269_A[1];
static double f269_B[12][10];
static double f269_C[15][6];
static void f269(int n, int f269_A_1, double *f269_A)
{
#pragma scop
    for (int i = 0; i <= n - 1; i += 3) {
        for (int j = i + 2; j > -1; j -= 2) {
            for (int k = 2; k <= n - 1; k++) {
                f269_C[2 * j][i] = f269_B[j + k - 1][2 * k - 1] > f269_C[2 * j][i] ? f269_B[j + k - 1][2 * k - 1] : f269_C[2 * j][i];
            }
        }
    }
#pragma endscop
}
static void init_f269(void)
{
    f269_out = 0;
    double *p0 = &g_f269_A[0];
    for (int q = 0; q < 1; q++)
        p0[q] = (q * 3 + 0) % 11 / 4.0;
    double *p1 = &f269_B[0][0];
    for (int q = 0; q < 120; q++)
        p1[q] = (q * 5 + 1) % 11 / 4.0;
    double *p2 = &f269_C[0][0];
    for (int q = 0; q < 90; q++)
        p2[q] = (q * 7 + 2) % 11 / 4.0;
}
static void drive_f269(void)
{
    init_f269();
    f269(6, 1, g_f269_A);
    printf("%a\n", f269_out);
    { double *p0 = &g_f269_A[0];
    for (int q = 0; q < 1; q++)
        printf("%a\n", p0[q]); }
    { double *p1 = &f269_B[0][0];
    for (int q = 0; q < 120; q++)
        printf("%a\n", p1[q]); }
    { double *p2 = &f269_C[0][0];
    for (int q = 0; q < 90; q++)
        printf("%a\n", p2[q]); }
    init_f269();
    f269(0, 1, g_f269_A);
    printf("%a\n", f269_out);
    { double *p0 = &g_f269_A[0];
    for (int q = 0; q < 1; q++)
        printf("%a\n", p0[q]); }
    { double *p1 = &f269_B[0][0];
    for (int q = 0; q < 120; q++)
        printf("%a\n", p1[q]); }
    { double *p2 = &f269_C[0][0];
    for (int q = 0; q < 90; q++)
        printf("%a\n", p2[q]); }
    init_f269();
    f269(3, 1, g_f269_A);
    printf("%a\n", f269_out);
    { double *p0 = &g_f269_A[0];
    for (int q = 0; q < 1; q++)
        printf("%a\n", p0[q]); }
    { double *p1 = &f269_B[0][0];
    for (int q = 0; q < 120; q++)
        printf("%a\n", p1[q]); }
    { double *p2 = &f269_C[0][0];
    for (int q = 0; q < 90; q++)
        printf("%a\n", p2[q]); }
}

int main(void)
{
    drive_f269();
    return 0;
}
