"""Modules as users write them, with arguments; small, to be built quickly."""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812  as PyTorch's documentation has it
from torch import nn


class Perceptron(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Linear(12, 20)
        self.second = nn.Linear(20, 6)

    def forward(self, x):
        hidden = F.gelu(self.first(x))
        return F.relu(self.second(hidden))


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.project = nn.Linear(16, 48)

    def forward(self, x):
        query, key, value = self.project(x).chunk(3, -1)
        scores = query @ key.transpose(-1, -2) / 4.0
        return F.softmax(scores, -1) @ value


class Normalised(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm = nn.LayerNorm(10)

    def forward(self, x, residual):
        return self.norm(x + residual)


class Convolution(nn.Module):
    def __init__(self):
        super().__init__()
        self.convolution = nn.Conv2d(3, 4, 3, padding=1)

    def forward(self, image):
        return F.max_pool2d(F.relu(self.convolution(image)), 2)


class Residual(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(3, 3, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(3)
        self.second = nn.Conv2d(3, 3, 1)

    def forward(self, x):
        return F.relu(x + self.second(F.relu(self.norm(self.first(x)))))


class Reductions(nn.Module):
    def forward(self, x):
        spread = x.var(1, keepdim=True)
        return {"mean": x.mean((0, 2)), "rest": (x.amax(1), (x / spread).sum(-1))}


def trained(module):
    """The module with weights and statistics that are not those of its making."""
    torch.manual_seed(1)
    for tensor in module.state_dict().values():
        if tensor.dtype.is_floating_point:
            tensor.copy_(torch.rand(tensor.shape) + 0.1)
    return module.eval()


def sample(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(sum(shape)))


MODULES = {
    "perceptron": (Perceptron, (sample(7, 12),)),
    "attention": (Attention, (sample(2, 9, 16),)),
    "normalised": (Normalised, (sample(6, 10), sample(6, 10))),
    "convolution": (Convolution, (sample(2, 3, 8, 10),)),
    "residual": (Residual, (sample(1, 3, 7, 9),)),
    "reductions": (Reductions, (sample(3, 5, 8),)),
}
