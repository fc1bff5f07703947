"""Functions with loops that data end, or that count in a while, compared with NumPy.

Parameters are named as in `kernels.py`.
"""

import math

import numpy as np


def root(v):
    r = v
    while abs(r * r - v) > 1e-10:
        r = 0.5 * (r + v / r)
    return r


def newton_helper(x, y):
    for i in range(len(x)):
        y[i] = root(x[i] * x[i]) + root(y[i] * y[i] + 1.0)


def escape_counts(p, s, i):
    for row in range(p.shape[0]):
        for column in range(p.shape[1]):
            cr, ci = column * 0.3 - 2.0, row * 0.25 - s
            zr = zi = 0.0
            n = 0
            while n < i * 7 and zr * zr + zi * zi <= 4.0:
                t = zr * zr - zi * zi + cr
                zi = 2 * zr * zi + ci
                zr = t
                n += 1
            p[row, column] = n


def escape_with_break(p, s, i):
    for row in range(p.shape[0]):
        for column in range(p.shape[1]):
            c, d = column * 0.3 - 2.0, row * 0.25 - s
            a, b = 0.0, 0.0
            p[row, column] = i * 7
            for n in range(i * 7):
                a, b = a * a - b * b + c, 2 * a * b + d
                if a * a + b * b > 4.0:
                    p[row, column] = n
                    break


def collatz(u):
    for k in range(len(u)):
        n = u[k] % 50 + 1
        steps = 0
        while n != 1:
            if n % 2 == 0:  # noqa: SIM108  branches in a loop that data end
                n = n // 2
            else:
                n = 3 * n + 1
            steps += 1
        u[k] = steps


def divisors(u):
    for k in range(len(u)):
        p, q = u[k] % 24, 36
        while q:
            p, q = q, p % q
        u[k] = p


def bisection(x, y):
    for i in range(len(x)):
        lo, hi = 0.0, abs(x[i]) + 1.0
        while hi - lo > 1e-9:
            mid = 0.5 * (lo + hi)
            if mid * mid > abs(x[i]):
                hi = mid
            else:
                lo = mid
        y[i] = lo


def kepler(x, y, s):
    for i in range(len(x)):
        guess = x[i]
        for _ in range(50):
            step = (guess - s * math.sin(guess) - x[i]) / (1 - s * math.cos(guess))
            guess -= step
            if abs(step) < 1e-12:
                break
        y[i] = guess


def until_negative(a, x):
    for i in range(a.shape[0]):
        s = 0.0
        for j in range(a.shape[1]):
            if a[i, j] < -1.0:
                break
            s += a[i, j]
        x[i] = s


def rows_until(a, x):
    for i, row in enumerate(a):
        for v in row:
            x[i] += v
            if v < 0.2:
                break


def loops_in_a_branch(a, x):
    for i in range(a.shape[0]):
        if x[i] > 0.0:
            for j in range(a.shape[1]):
                if a[i, j] < -0.5:
                    break
                x[i] += a[i, j]
            for j in range(a.shape[1]):
                a[i, j] *= 2
        else:
            x[i] = 0


def nested_breaks(a, u):
    for i in range(a.shape[0]):
        c = 0
        for j in range(a.shape[1]):
            for k in range(j, a.shape[1]):
                if a[i, k] < a[i, j]:
                    break
                c += 1
            if c > 5:
                break
        u[i] = c


def continue_and_break(a, u):
    for i in range(a.shape[0]):
        c = 0
        for j in range(a.shape[1]):
            if a[i, j] < 0.1:
                continue
            if a[i, j] > 2.5:
                break
            c += 1
        u[i] = c


def flagged(a, u):
    for i in range(a.shape[0]):
        done = False
        k = 0
        while not done and k < 20:
            k += 1
            done = a[i, 0] * k > 3.0
        u[i] = k


def sums_in_conditions(a, x):
    for i in range(len(x)):
        z = 1.0
        while z < np.sum(np.abs(a[i])):
            row = a[i] * z
            z *= 2
            x[i] += row.sum()


def left_in_the_middle(x, y):
    for i in range(len(x)):
        z = abs(x[i]) + 1.0
        while True:
            z = z * 0.5
            if z < 0.01:
                break
            y[i] += z
        x[i] = z


def counted_over_all(x):
    count = 0
    for i in range(len(x)):
        z = abs(x[i])
        while z > 0.1:
            z *= 0.5
            count += 1
    return count


def first_of_all(x, s):
    total = 0.0
    for i in range(len(x)):
        total += x[i]
        if total > s:
            break
    return total


def windows_cut_off(x, y, i):
    for k in range(len(y)):
        s = 0.0
        for j in range(i):
            if k + j >= len(x):
                break
            s += x[k + j]
        y[k] = s


def counting(a, x):
    i = 0
    while i < len(x):
        j = a.shape[1] - 1
        while j >= 0:
            a[i, j] += i * j
            j -= 2
        a[i, 0] += j
        i += 1
    return i


def counting_in_strides(x, y):
    k = 0
    while k + 3 <= len(x):
        y[k] = x[k + 2]
        k += 3
    while k < len(x):
        y[k] = -x[k]
        k = k + 1
    return k


def counting_to_a_break(a, u):
    for i in range(a.shape[0]):
        u[i] = -1
        j = 0
        while j < a.shape[1]:
            if a[i, j] > 1.0:
                u[i] = j
                break
            j += 1


def never(x, i):
    while False:
        x[0] = 1
    k = i
    while k < i:
        x[k] = 1
        k += 1
    return k


def sign(v):
    if v > 0:
        return 1.0
    if v < -0.5:
        return -1
    return 0.0


def escape(cr, ci, limit):
    zr = zi = 0.0
    for n in range(limit):
        zr, zi = zr * zr - zi * zi + cr, 2 * zr * zi + ci
        if zr * zr + zi * zi > 4.0:
            return n
    return limit


def is_prime(n):
    if n < 2:
        return False
    d = 2
    while d * d <= n:
        if n % d == 0:
            return False
        d += 1
    return True


def ordered(v, w):
    if v < w:
        return v, w
    else:
        t = w * 1
        return t, v


def find_pair(row, v):
    for j in range(len(row)):
        for k in range(j):
            if row[j] + row[k] > v:
                return j * 10 + k
    return -1


def returned_from_branches(x, y):
    for i in range(len(x)):
        lo, hi = ordered(x[i] + sign(x[i] - 1), y[i])
        x[i] = lo
        y[i] = hi


def returned_from_loops(a, p, u, s):
    for i in range(p.shape[0]):
        for j in range(p.shape[1]):
            p[i, j] = escape(j * 0.1 - 2, i * 0.1 - s, 30)
        u[i] = find_pair(a[i], 3.0)
        is_last = not is_prime(i + 2)
        if is_prime(i) and is_last:
            u[i] += 100


def returns_early(x, s):
    for i in range(len(x)):
        if x[i] > s:
            return i
    if s > 0.5:
        return 2.5
    return -1


def returns_one_of_two(x, y, h):
    if len(x) > 9:
        return x * 2
    elif h:
        return y
    return x + y


def else_behind_loops(a, u):
    for i in range(len(u)):
        for j in range(a.shape[1]):
            if a[i, j] > 1.8:
                u[i] = j
                break
        else:
            u[i] = -1
        for j in range(a.shape[1]):
            a[i, j] += 1
        else:
            u[i] += 7
        k = 0
        while k < u[i]:
            k += 2
            if k % 3 == 0:
                break
        else:
            u[i] = k * 10


FUNCTIONS = [
    f for name, f in list(globals().items())
    if callable(f) and getattr(f, "__module__", "") == __name__
    and f not in (root, sign, escape, is_prime, ordered, find_pair)
]  # fmt: skip
