"""A block of an image network: two convolutions with normalisation, and a shortcut.

Run it with ``python examples/torch/residual_block.py``.
"""

import torch
import torch.nn.functional as F
from torch import nn

import polysched as ps


class ResidualBlock(nn.Module):
    def __init__(self, channels=32):
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm_1 = nn.BatchNorm2d(channels)
        self.second = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm_2 = nn.BatchNorm2d(channels)

    def forward(self, x):
        y = F.relu(self.norm_1(self.first(x)))
        return F.relu(x + self.norm_2(self.second(y)))


def module():
    """The block with weights that are the same each time."""
    torch.manual_seed(0)
    return ResidualBlock().eval()


def inputs(batch=1, side=32):
    """Arguments of a call."""
    return (torch.randn(batch, 32, side, side),)


if __name__ == "__main__":
    block, args = module(), inputs()
    kernel = ps.from_torch(block, args)
    print(kernel.source)
    with torch.no_grad():
        difference = (kernel(*args) - block(*args)).abs().max()
    print(kernel, "differs from PyTorch by", float(difference))
