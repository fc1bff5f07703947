"""Kernels on images and samples of 8 and 16 bits give NumPy's bytes."""

import warnings

import numpy as np
import pytest

import polysched as ps

pytestmark = pytest.mark.cc
U = ps.uint8["N", "M"]
SIZES = [(0, 3), (1, 1), (3, 5), (17, 33), (150, 203)]


def box_blur(img: U, out: U):
    for i in range(1, img.shape[0] - 1):
        for j in range(1, img.shape[1] - 1):
            total = np.int32(0)
            for di in range(-1, 2):
                for dj in range(-1, 2):
                    total += np.int32(img[i + di, j + dj])
            out[i, j] = total // 9


def soft_blur(img: U, out: U):
    wide = img.astype(np.int32)
    cross = wide[:-2, 1:-1] + wide[2:, 1:-1] + wide[1:-1, :-2] + wide[1:-1, 2:]
    out[1:-1, 1:-1] = (cross + 4 * wide[1:-1, 1:-1]) >> 3


def threshold(img: U, out: U, level: ps.uint8):
    out[:] = np.where(img > level, 255, 0)


def threshold_by_a_python_number(img: U, out: U, level: int):
    for i in range(img.shape[0]):
        for j in range(img.shape[1]):
            if img[i, j] >= level:
                out[i, j] = 255
            else:
                out[i, j] = 255 - img[i, j]


def gray(rgb: ps.uint8["N", "M", 3], out: U):
    wide = rgb.astype(np.int32)
    red, green, blue = wide[:, :, 0], wide[:, :, 1], wide[:, :, 2]
    out[:] = ((77 * red + 150 * green + 29 * blue) >> 8).astype(np.uint8)


def saturating_sum(img: U, other: U):
    return np.minimum(img.astype(np.int16) + other, 255).astype(np.uint8)


def wrapping_sum(img: U, other: U, out: U):
    out[:] = img + other * 3 - (img >> 1)
    out += 200
    out[:, ::2] ^= 0x55


def look_up(img: U, table: ps.uint8[256]):
    return table[img]


def look_up_in_a_loop(img: U, table: ps.int16[256], wide: ps.int16["N", "M"]):
    for i in range(img.shape[0]):
        for j in range(img.shape[1]):
            wide[i, j] = table[img[i, j]] - 7


def histogram(img: U, counts: ps.int64[256]):
    for i in range(img.shape[0]):
        for j in range(img.shape[1]):
            counts[img[i, j]] += 1


def wrapping_histogram(img: U, small: ps.uint8[256]):
    for row in img:
        np.add.at(small, row, 1)


def sums(img: U):
    return img.sum(dtype=np.int64), img.mean(axis=0, dtype=np.float64), img.max(axis=1)


def volume(samples: ps.int16["K"], gain: ps.int16):
    return ((samples.astype(np.int32) * gain) >> 12).clip(-32768, 32767)


def filtered(samples: ps.int16["K"], taps: ps.int8[5], result: ps.int16["K"]):
    for k in range(len(samples) - 4):
        total = np.int32(0)
        for t in range(5):
            total += np.int32(samples[k + t]) * taps[t]
        result[k] = np.int16(total >> 7)


def running_code(words: ps.uint16["K"], codes: ps.uint16["K"]):
    for k in range(1, len(words)):
        codes[k] = codes[k - 1] * 31 + words[k]


def last_of_loop(words: ps.uint16["K"], factor: ps.uint16):
    code = np.uint16(7)
    for w in words:
        code = code * factor + w
    return code


def hashed(words: ps.uint32["K"], keys: ps.uint32["K"]):
    for k in range(len(words)):
        h = words[k] ^ np.uint32(2166136261)
        h = (h ^ (h >> 16)) * 2246822507
        h = (h ^ (h << 13)) * np.uint32(3266489909)
        keys[k] = h // 3 + ~h % 4294967291 - h
    return words > 4000000000


def last_of_hashes(words: ps.uint32["K"], factor: ps.uint32):
    h = np.uint32(2166136261)
    for w in words:
        h = (h ^ w) * factor
    return h


def quantised(x: ps.float32["N", "M"], weights: ps.int8["M", 4]):
    scaled = np.clip(np.rint(x * 20), -128, 127).astype(np.int8)
    return scaled.astype(np.int32) @ weights.astype(np.int32)


FUNCTIONS = [
    box_blur, soft_blur, threshold, threshold_by_a_python_number, gray, saturating_sum,
    wrapping_sum, look_up, look_up_in_a_loop, histogram, wrapping_histogram, sums,
    volume, filtered, running_code, last_of_loop, hashed, last_of_hashes, quantised,
]  # fmt: skip


def made(kind, sizes, rng):
    """An argument of an annotation: random, with both ends among the elements."""
    if isinstance(kind, type):
        return int(rng.integers(0, 300))
    shape = [sizes.get(s, s) for s in getattr(kind, "shape", ())]
    name = kind.dtype if shape else kind.name
    if name == "float32":
        return (rng.normal(size=shape) * 9).astype(name)
    limits = np.iinfo(name)
    found = rng.integers(limits.min, limits.max + 1, shape, dtype=name)
    if not shape:
        return found.dtype.type(found) if isinstance(found, np.ndarray) else found
    ends = rng.random(shape)
    found[ends < 0.1], found[ends > 0.9] = limits.min, limits.max
    return np.zeros_like(found) if name == "int64" else found


@pytest.mark.long
@pytest.mark.parametrize("function", FUNCTIONS)
def test_results_are_numpys(function):
    rng = np.random.default_rng(8)
    kernel = ps.kernel(function, timeout=1.0)
    for n, m in SIZES:
        if function is sums and not n:
            continue  # of no elements there is no maximum
        sizes = {"N": n, "M": m, "K": n * m}
        ours = {k: made(t, sizes, rng) for k, t in function.__annotations__.items()}
        numpys = {k: np.copy(v) if np.ndim(v) else v for k, v in ours.items()}
        found = kernel(**ours)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            right = function(**numpys)
        assert_equal(found, right)
        for name, value in numpys.items():
            assert_equal(ours[name], value)


def assert_equal(found, right):
    if isinstance(right, tuple):
        for one, two in zip(found, right, strict=True):
            assert_equal(one, two)
        return
    if isinstance(right, (np.ndarray, np.generic)):
        assert found.dtype == right.dtype
    if getattr(right, "dtype", None) == np.float64:
        np.testing.assert_allclose(found, right, rtol=1e-12)
    else:
        np.testing.assert_array_equal(found, right)


def test_numbers_of_calls_have_to_fit():
    kernel = ps.kernel(threshold, timeout=1.0)
    img = np.array([[3, 200]], np.uint8)
    out = np.zeros_like(img)
    for level in (199, np.uint8(199), np.int64(199)):
        out[:] = 1
        kernel(img, out, level)
        assert out.tolist() == [[0, 255]]
    with pytest.raises(ValueError, match="'level' is 256, too large for uint8"):
        kernel(img, out, 256)
    with pytest.raises(ValueError, match="'level' is -1, too small for uint8"):
        kernel(img, out, -1)
    with pytest.raises(TypeError, match="an array of int8, expected uint8"):
        kernel(img.astype(np.int8), out, 3)


def test_what_narrow_elements_choose_is_checked():
    kernel = ps.kernel(shorter_table, timeout=1.0)
    table = np.arange(100, dtype=np.float64)
    found = np.array([3, 99, 0], np.uint8)
    np.testing.assert_array_equal(kernel(table, found), table[found])
    with pytest.raises(IndexError, match="'chosen' holds 100 at"):
        kernel(table, np.array([3, 100], np.uint8))


def shorter_table(table: ps.float64["T"], chosen: ps.uint8["K"]):
    return table[chosen]


def signed(x: ps.float64["T"], chosen: ps.int16["K"], out: ps.float64["K"]):
    for k in range(len(chosen)):
        out[k] = x[int(chosen[k]) + 1]


def test_signed_elements_choose_after_they_became_python_integers():
    kernel = ps.kernel(signed, timeout=1.0)
    x, out = np.arange(9.0), np.zeros(2)
    kernel(x, np.array([-1, 7], np.int16), out)
    assert out.tolist() == [0, 8]
    with pytest.raises(IndexError, match="'chosen' holds 8 at"):
        kernel(x, np.array([-1, 8], np.int16), out)


def untyped(a, k):
    a += k
    return a * k


@pytest.mark.long
def test_types_are_those_of_the_call():
    kernel = ps.kernel(untyped, timeout=1.0)
    for dtype in (np.uint8, np.int8, np.uint16, np.int16, np.uint32):
        a = np.array([np.iinfo(dtype).max, np.iinfo(dtype).min, 5], dtype)
        b = a.copy()
        for k in (3, dtype(7)):
            assert_equal(kernel(a, k), untyped(b, k))
            assert_equal(a, b)
