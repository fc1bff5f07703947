/* Two time loops whose spaces hold every step for skewed bands. */
#include <stdio.h>
static double A[13][14], B[13][14], C[13][14];
static void heat(int t_end, int n, int m)
{
#pragma scop
    for (int t = 0; t < t_end; t++) {
        for (int i = 1; i < n - 1; i++)
            for (int j = 1; j < m - 1; j++)
                B[i][j] = 0.25 * (A[i - 1][j] + A[i + 1][j] + A[i][j - 1] + A[i][j + 1]);
        for (int i = 1; i < n - 1; i++)
            for (int j = 1; j < m - 1; j++)
                A[i][j] = B[i][j];
    }
#pragma endscop
}
static void sweep(int t_end, int n, int m)
{
#pragma scop
    for (int t = 0; t < t_end; t++)
        for (int i = 1; i < n - 1; i++)
            for (int j = 1; j < m - 1; j++)
                C[i][j] = 0.2 * (C[i - 1][j] + C[i][j - 1] + C[i][j] + C[i][j + 1] + C[i + 1][j]);
#pragma endscop
}
int main(void)
{
    for (int i = 0; i < 13; i++)
        for (int j = 0; j < 14; j++) {
            A[i][j] = (i * 7 + j * 3) % 11 / 4.0;
            C[i][j] = (i * 5 + j * 2) % 13 / 8.0;
        }
    heat(5, 11, 13);
    heat(2, 3, 4);
    sweep(4, 12, 11);
    sweep(1, 3, 3);
    return 0;
}
