"""What was read means what the C program does: interpreter against compiler."""

import pytest

from polysched.testing import check_program

pytestmark = pytest.mark.cc

PROLOGUE = """
#include <limits.h>
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#define SMALLER(a, b) ((a) < (b) ? (a) : (b))
static double A[40][40], B[40], C[40], L[1600];
static int K[60], M[60][7];
static uint8_t U[60];
static float F[60];
static int within(int x, int lo, int hi)
{
    if (x < lo) return lo;
    return x > hi ? hi : x;
}
static inline float mean(float a, float b) { float c = a + b; return c * 0.5f; }
static void fill(void)
{
    for (int i = 0; i < 40; i++) {
        B[i] = (i * 7 % 11) - 3.25;
        C[i] = i % 5 - 1.5;
        for (int j = 0; j < 40; j++) {
            A[i][j] = (i * 3 + j * 5) % 17 - 8;
            L[i * 40 + j] = (i + j) % 9;
        }
    }
    for (int i = 0; i < 60; i++) {
        K[i] = (i * 13 % 29) - 11;
        U[i] = i * 37 % 251;
        F[i] = i % 7 - 3;
        for (int j = 0; j < 7; j++)
            M[i][j] = i - j * 3;
    }
}
"""
# parameters of the function: arguments of each call, then the text of the scop
CASES = {
    "loops that data end": """
        int n: 20; 0; 1
        for (int i = 0; i < n; i++) {
            int k = i % 3, s = 0;
            do { k++; } while (k < 9 && K[k] > 0);
            while (1) { if (k > 20) break; k += 2; }
            for (; k < M[i][1] + 9; k++) ;
            for (int j = K[i], e = K[i] + 3; j < e; j++) s += j;
            for (int t = 1; t < 40; t *= 2) { if (t == 8) continue; s += t; }
            B[i] = s * 100 + k;
        }
        """,
    "sparse rows": """
        int n: 20; 0; 1
        for (int i = 0; i < n; i++) {
            C[i] = 0;
            for (int k = U[i] % 7; k < U[i + 1] % 40; k++)
                if (K[k] > -5) C[i] += B[(K[k] + 40) % 40] * F[k];
                else { float t = F[k]; if (t > 2) break; C[i] -= t; }
        }
        """,
    "search in a row": """
        int n: 30; 0; 1
        for (int i = 0; i < n; i++) {
            C[i] = -1;
            for (int j = 0; j < 7; j++) {
                B[i] = M[i][j];
                if (M[i][j] < 3) { C[i] = j; break; }
            }
        }
        """,
    "bisection": """
        int n: 30; 0; 1
        for (int i = 0; i < n; i++) {
            double low = 0, high = 9 + C[i];
            int turns = 0;
            while (high - low > 0.001) {
                double mid = (low + high) / 2;
                if (mid * mid > i) high = mid; else low = mid;
                turns++;
            }
            B[i] = low;
            L[i] = turns;
        }
        """,
    "a while loop in a condition": """
        int n: 30; 0; 1
        int found = 0;
        for (int i = 0; i < n; i++) {
            if (K[i] > 0) {
                int k = K[i];
                while (k > 1) { k = k % 2 ? 3 * k + 1 : k / 2; found++; }
                B[i] = k;
            }
            if (K[i] < -3) for (int j = 0; j < n; j++) A[i][j] = found;
        }
        L[0] = found;
        """,
    "truncation": """
        int n: 7; 1; 0
        for (int i = -n; i < n; i++)
            B[i / 3 + 10] += C[i % 4 + 5] * (i % 3);
        """,
    "truncated parameters": """
        int n: 7; 0; 9; -5
        for (int i = 0; i < n / 2; i++)
            B[i + (n % 5 < 0 ? 0 : n % 5)] += C[(i - n / 3) / 2 + 20];
        """,
    "steps": """
        int n, int m: 13, 13; 0, 1; -3, 4
        for (int i = n; i >= 0; i -= 3)
            for (int j = i; j < m; j += 2)
                A[i][j] += A[j][i];
        """,
    "conditions": """
        int n: 13; 1
        for (int i = 0; i < n; i++) {
            if ((i > 3 && !(i % 2)) || i == 1)
                B[i] = 1;
            else if (i < 6) {
                B[i] += 2;
                C[i] = B[i];
            } else
                C[i] -= 1;
        }
        """,
    "conditions on data": """
        int n: 30; 2
        for (int i = 1; i < n; i++) {
            if (B[i] > 0 && i > 2) {
                double t = B[i - 1];
                C[i] = t;
                K[i]++;
            } else if (B[i] < -1)
                C[i] = 0;
            else {
                C[i] = 1;
                C[i - 1] += 2;
            }
        }
        """,
    "clamped subscripts": """
        int n: 20; 1
        for (int i = 0; i < n; i++)
            B[i] = C[i > 0 ? i - 1 : 0] + C[SMALLER(i + 1, n - 1)]
                   + A[within(i * 2 - 5, 0, n - 1)][3];
        """,
    "flat": """
        int n, int m, double *p: 9, 11, L; 1, 1, L
        for (int i = 0; i < n; i++)
            for (int j = 0; j < m; j++)
                p[i * m + j] = p[i * m + m - 1 - j] + p[(n - 1 - i) * m + j];
        """,
    "flat with halo": """
        int n, double *p: 9, L; 0, L
        for (int i = 1; i <= n; i++)
            for (int j = 1; j <= n; j++)
                p[i * (n + 2) + j] = p[(i - 1) * (n + 2) + j] + p[(i + 1) * (n + 2) + j]
                                     - p[i * (n + 2) + j - 1];
        """,
    "unsigned": """
        size_t n: 20; 1
        for (size_t i = 1; i + 1 < n; ++i)
            B[i] = C[i - 1] + C[i + 1];
        for (size_t i = n; i > 0; i--)
            C[i - 1] = B[i - 1];
        """,
    "private names": """
        int n: 20; 2
        for (int i = 0; i < n; i++) {
            double s = 0;
            for (int k = 0; k < 3; k++) {
                double s = B[i] * k;
                C[i] += s;
            }
            A[i][0] = s;
            int j = i + 1;
            long end = j * 2;
            for (int k = j; k < end && k < n; k++)
                A[k][j] = A[k][i] + end;
        }
        """,
    "integers": """
        int n: 20; 2
        int a, b;
        a = b = 3;
        for (int i = 0; i < n; i++) {
            a += b;
            b++;
            K[i] = a;
            K[i] <<= 1;
            K[i] |= 5;
            K[i] %= 7;
            U[i] = U[i] == 'a' ? 1 : U[i] * 3u;
            K[i] ^= ~i & 0xFF;
            M[i][i & 3] = (int8_t)(K[i] * 40) >> 1;
        }
        """,
    "floats": """
        int n, double x: 20, 0.5
        for (int i = 0; i < n; i++) {
            F[i] = mean(F[i], 1) + sqrtf(4.0f);
            B[i] = fmax(C[i], x) + 1e3f / (i + 1);
        }
        """,
    "conditions that end loops early": """
        int n: 20; 2; 0; 37
        for (int i = 0; 2 * i + 1 < n && i < 17; i++)
            B[i] = 1;
        for (int i = 0; i != n; i++)
            C[i] += 1;
        """,
    "pointers to arrays": """
        int n, double (*P)[40][40], double (*Q)[40], double *r: 20, (void *)L, A, B
        for (int i = 0; i < n; i++)
            for (int j = 0; j < n; j++) {
                (*P)[i][j] = Q[i][j] + Q[j][0];
                *r += i;
            }
        """,
}


@pytest.mark.parametrize("case", CASES)
def test_interpreter_agrees_with_the_compiled_program(case):
    head, _, body = CASES[case].strip().partition("\n")
    parameters, _, calls = head.partition(":")
    runs = "".join(f"    kernel({arguments});\n" for arguments in calls.split(";"))
    report = check_program(
        f"{PROLOGUE}static void kernel({parameters})\n{{\n#pragma scop\n{body}\n"
        f"#pragma endscop\n}}\nint main(void)\n{{\n    fill();\n{runs}"
        '    printf("done\\n");\n    return 0;\n}\n'
    )
    assert [str(m) for m in report.mismatches] == []
    assert report.n_executions == len(calls.split(";"))
