"""What the vendor's libraries and a plain copy reach, through PyTorch if it is there.

Prints one line of JSON; nothing without PyTorch or a GPU.
"""

from __future__ import annotations

import json
import sys

try:
    import torch
except ImportError:
    torch = None


def best_ms(run, repeats: int = 12) -> float:
    """The shortest of some runs."""
    found = []
    for _ in range(repeats):
        first = torch.cuda.Event(enable_timing=True)
        last = torch.cuda.Event(enable_timing=True)
        first.record()
        run()
        last.record()
        torch.cuda.synchronize()
        found.append(first.elapsed_time(last))
    return min(found)


def product(n: int, dtype):
    """A matrix product, ready to run."""
    a = torch.rand(n, n, device="cuda", dtype=dtype)
    b = torch.rand(n, n, device="cuda", dtype=dtype) - 0.5
    c = torch.zeros_like(a)
    return lambda: torch.mm(a, b, out=c)


def main() -> None:
    """Products of 4096, a convolution, a copy."""
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    found = {"torch": torch.__version__}
    types = {"float": torch.float32, "double": torch.float64, "half": torch.float16}
    for name, dtype in types.items():
        found[f"{name} matmul 4096"] = best_ms(product(4096, dtype))
    torch.backends.cuda.matmul.allow_tf32 = True
    found["tf32 matmul 4096"] = best_ms(product(4096, torch.float32))
    x = torch.rand(32, 128, 58, 58, device="cuda")
    w = torch.rand(128, 128, 3, 3, device="cuda")
    torch.backends.cudnn.benchmark = True
    found["float conv2d 32 x 128 x 56 x 56, 3 x 3"] = best_ms(
        lambda: torch.nn.functional.conv2d(x, w)
    )
    y = torch.empty(1 << 28, device="cuda")
    z = torch.empty_like(y)
    found["copy_bytes_per_second"] = 2 * 4 * 2**28 / best_ms(lambda: z.copy_(y)) * 1e3
    sys.stdout.write(json.dumps(found))


if torch is not None and torch.cuda.is_available():
    main()
