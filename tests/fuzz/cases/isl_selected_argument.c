/* isl's AST builder breaks a dependence in a tiled, separated schedule of this program.
 * The proof of the built loops gave up on it, because isl had put an argument of a
 * statement as `c ? a : b`, which was not read back: a wrong program was printed.
 * Found by seed 6058.
 */
#include <math.h>
#include <stdio.h>

static double f6058ac_out;
static double f6058ac_A[11][11];
static void f6058ac(void)
{
#pragma scop
    for (int i = 0; i < 4; i++) {
        f6058ac_A[-i + 3][i + 1] *= f6058ac_A[i][2 * i];
    }
    for (int i = 2; i > -1; i -= 2) {
        for (int j = 2; j <= i + 2; j += 2) {
            for (int k = 6; k >= 0; k--) {
                if (k <= i) {
                    if (f6058ac_A[-k + 6][i + 2] < f6058ac_A[k][i])
                        f6058ac_A[-i + 2][j - 1] = f6058ac_A[2 * j + 2][-j + 4] - f6058ac_A[2 * j + 1][j + k];
                    f6058ac_A[-i + 2][2 * j] = f6058ac_A[k + 1][j];
                    f6058ac_A[-k + 6][j + 2] = 0.1 * f6058ac_A[k + 1][(i) / 3] - fabs(f6058ac_A[(k) % 2][i]);
                }
            }
        }
    }
#pragma endscop
}
static void init_f6058ac(void)
{
    f6058ac_out = 0;
    double *p0 = &f6058ac_A[0][0];
    for (int q = 0; q < 121; q++)
        p0[q] = (q * 3 + 0) % 11 / 4.0;
}
static void drive_f6058ac(void)
{
    init_f6058ac();
    f6058ac();
    printf("%a\n", f6058ac_out);
    { double *p0 = &f6058ac_A[0][0];
    for (int q = 0; q < 121; q++)
        printf("%a\n", p0[q]); }
}

int main(void)
{
    drive_f6058ac();
    return 0;
}
