"""The kernels of examples/python as one writes them for Numba, with ``prange``.

Imported by the process that runs Numba in `python_kernels`; each function does what the
kernel of that name does, loops that can run in parallel written as such.
"""

from __future__ import annotations

import numpy as np
from numba import njit, prange


@njit(parallel=True, cache=True)
def gemm(alpha, beta, C, A, B):
    for i in prange(C.shape[0]):
        for j in range(C.shape[1]):
            C[i, j] *= beta
        for k in range(A.shape[1]):
            for j in range(C.shape[1]):
                C[i, j] += alpha * A[i, k] * B[k, j]


@njit(parallel=True, cache=True)
def jacobi_2d(steps, A, B):
    n = A.shape[0]
    for _t in range(steps):
        for i in prange(1, n - 1):
            for j in range(1, n - 1):
                B[i, j] = 0.2 * (
                    A[i, j] + A[i, j - 1] + A[i, j + 1] + A[i + 1, j] + A[i - 1, j]
                )
        for i in prange(1, n - 1):
            for j in range(1, n - 1):
                A[i, j] = 0.2 * (
                    B[i, j] + B[i, j - 1] + B[i, j + 1] + B[i + 1, j] + B[i - 1, j]
                )


@njit(parallel=True, cache=True)
def syrk(alpha, beta, C, A):
    for i in prange(A.shape[0]):
        for j in range(i + 1):
            C[i, j] *= beta
        for k in range(A.shape[1]):
            for j in range(i + 1):
                C[i, j] += alpha * A[i, k] * A[j, k]


@njit(parallel=True, cache=True)
def mvt(x1, x2, y1, y2, A):
    n = A.shape[0]
    for i in prange(n):
        for j in range(n):
            x1[i] += A[i, j] * y1[j]
    block = 64
    for b in prange((n + block - 1) // block):
        for i in range(n):
            for j in range(b * block, min(n, (b + 1) * block)):
                x2[j] += A[i, j] * y2[i]


@njit(parallel=True, cache=True)
def atax(A, x):
    m, n = A.shape
    t = np.zeros(m)
    y = np.zeros(n)
    for i in prange(m):
        for j in range(n):
            t[i] += A[i, j] * x[j]
    block = 64
    for b in prange((n + block - 1) // block):
        for i in range(m):
            for j in range(b * block, min(n, (b + 1) * block)):
                y[j] += A[i, j] * t[i]
    return y


@njit(parallel=True, cache=True)
def softmax(x):
    out = np.empty_like(x)
    for n in prange(x.shape[0]):
        for h in range(x.shape[1]):
            for i in range(x.shape[2]):
                top = x[n, h, i, 0]
                for j in range(1, x.shape[3]):
                    top = max(top, x[n, h, i, j])
                total = np.float32(0.0)
                for j in range(x.shape[3]):
                    out[n, h, i, j] = np.exp(x[n, h, i, j] - top)
                    total += out[n, h, i, j]
                for j in range(x.shape[3]):
                    out[n, h, i, j] /= total
    return out


@njit(parallel=True, cache=True)
def conv2d(image, weights, bias, out):
    for n in prange(out.shape[0]):
        for i in range(out.shape[1]):
            for j in range(out.shape[2]):
                for f in range(out.shape[3]):
                    out[n, i, j, f] = bias[f]
                for p in range(weights.shape[0]):
                    for q in range(weights.shape[1]):
                        for c in range(weights.shape[2]):
                            for f in range(out.shape[3]):
                                out[n, i, j, f] += (
                                    image[n, i + p, j + q, c] * weights[p, q, c, f]
                                )


@njit(cache=True)
def _heat_row(A, B, i):
    n = A.shape[0]
    for j in range(1, n - 1):
        for k in range(1, n - 1):
            B[i, j, k] = (
                0.125 * (A[i + 1, j, k] - 2.0 * A[i, j, k] + A[i - 1, j, k])
                + 0.125 * (A[i, j + 1, k] - 2.0 * A[i, j, k] + A[i, j - 1, k])
                + 0.125 * (A[i, j, k + 1] - 2.0 * A[i, j, k] + A[i, j, k - 1])
                + A[i, j, k]
            )


@njit(parallel=True, cache=True)
def heat_3d(steps, A, B):
    n = A.shape[0]
    for _t in range(steps):
        for i in prange(1, n - 1):
            _heat_row(A, B, i)
        for i in prange(1, n - 1):
            _heat_row(B, A, i)


@njit(parallel=True, cache=True)
def cholesky(A):
    n = A.shape[0]
    for k in range(n):
        A[k, k] = np.sqrt(A[k, k])
        for i in range(k + 1, n):
            A[i, k] /= A[k, k]
        for i in prange(k + 1, n):
            for j in range(k + 1, i + 1):
                A[i, j] -= A[i, k] * A[j, k]


@njit(parallel=True, cache=True)
def lu(A):
    n = A.shape[0]
    for k in range(n):
        for i in prange(k + 1, n):
            A[i, k] /= A[k, k]
            for j in range(k + 1, n):
                A[i, j] -= A[i, k] * A[k, j]


@njit(parallel=True, cache=True)
def correlation(data):
    n, m = data.shape
    scaled = np.empty((m, n))
    for j in prange(m):
        mean = 0.0
        for i in range(n):
            mean += data[i, j]
        mean /= n
        deviation = 0.0
        for i in range(n):
            deviation += (data[i, j] - mean) ** 2
        deviation = np.sqrt(deviation / n)
        if deviation <= 0.1:
            deviation = 1.0
        for i in range(n):
            scaled[j, i] = (data[i, j] - mean) / (np.sqrt(float(n)) * deviation)
    return scaled @ scaled.T


@njit(parallel=True, cache=True)
def nussinov(seq, table):
    n = seq.shape[0]
    for d in range(1, n):
        for i in prange(n - d):
            j = i + d
            best = max(table[i, j], table[i, j - 1], table[i + 1, j])
            pair = 1 if d > 1 and seq[i] + seq[j] == 3 else 0
            best = max(best, table[i + 1, j - 1] + pair)
            for k in range(i + 1, j):
                best = max(best, table[i, k] + table[k + 1, j])
            table[i, j] = best


@njit(parallel=True, cache=True)
def bicg(A, p, r):
    n, m = A.shape
    s = np.zeros(m)
    q = np.zeros(n)
    for i in prange(n):
        for j in range(m):
            q[i] += A[i, j] * p[j]
    block = 64
    for b in prange((m + block - 1) // block):
        for i in range(n):
            for j in range(b * block, min(m, (b + 1) * block)):
                s[j] += r[i] * A[i, j]
    return s, q


@njit(parallel=True, cache=True)
def covariance(data):
    n, m = data.shape
    centred = np.empty((m, n))
    for j in prange(m):
        mean = 0.0
        for i in range(n):
            mean += data[i, j]
        mean /= n
        for i in range(n):
            centred[j, i] = data[i, j] - mean
    return centred @ centred.T / (n - 1.0)


@njit(parallel=True, cache=True)
def mlp(x, w1, b1, w2, b2, w3, b3):
    h1 = np.maximum(x @ w1 + b1, np.float32(0))
    h2 = np.maximum(h1 @ w2 + b2, np.float32(0))
    h3 = h2 @ w3 + b3
    out = np.empty_like(h3)
    for i in prange(h3.shape[0]):
        top = h3[i, 0]
        for j in range(1, h3.shape[1]):
            top = max(top, h3[i, j])
        total = np.float32(0.0)
        for j in range(h3.shape[1]):
            out[i, j] = np.exp(h3[i, j] - top)
            total += out[i, j]
        for j in range(h3.shape[1]):
            out[i, j] /= total
    return out
