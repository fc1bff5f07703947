"""A block of a transformer, as it is in many models: attention, then a perceptron.

Run it with ``python examples/torch/encoder_block.py``: it imports the block, shows the
NumPy function that was written for it, and compares a call with PyTorch's.
"""

import torch
import torch.nn.functional as F
from torch import nn

import polysched as ps

N_HEADS = 4


class EncoderBlock(nn.Module):
    def __init__(self, width=128):
        super().__init__()
        self.norm_1 = nn.LayerNorm(width)
        self.project = nn.Linear(width, 3 * width)
        self.mix = nn.Linear(width, width)
        self.norm_2 = nn.LayerNorm(width)
        self.widen = nn.Linear(width, 4 * width)
        self.narrow = nn.Linear(4 * width, width)

    def heads(self, x):
        batch, length, width = x.shape
        return x.view(batch, length, N_HEADS, width // N_HEADS).transpose(1, 2)

    def forward(self, x):
        query, key, value = self.project(self.norm_1(x)).chunk(3, dim=-1)
        attention = F.scaled_dot_product_attention(
            self.heads(query), self.heads(key), self.heads(value), is_causal=True
        )
        x = x + self.mix(attention.transpose(1, 2).reshape(x.shape))
        return x + self.narrow(F.gelu(self.widen(self.norm_2(x))))


def module():
    """The block with weights that are the same each time."""
    torch.manual_seed(0)
    return EncoderBlock().eval()


def inputs(batch=2, length=64):
    """Arguments of a call."""
    return (torch.randn(batch, length, 128),)


if __name__ == "__main__":
    block, args = module(), inputs()
    kernel = ps.from_torch(block, args)
    print(kernel.source)
    with torch.no_grad():
        difference = (kernel(*args) - block(*args)).abs().max()
    print(kernel, "differs from PyTorch by", float(difference))
