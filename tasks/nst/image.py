"""The picture's parametrization: Fourier coefficients scaled by 1/√f, decoded into pixels that can be written.

Natural pictures have amplitudes that fall with the frequency f. Coefficients in units of 1/√f make the optimizer move
large shapes as readily as fine texture (Olah et al., "Feature Visualization", 2017, call it a decorrelated
parametrization), which here reaches the same loss in about half the steps.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


class _ClampToRange(torch.autograd.Function):
    """Clamp to [0, 1], with the gradient of a projection.

    A plain clamp has no gradient outside the range: a pixel that overshot never came back, and one bad step could leave
    every pixel out of range and the optimizer without any gradient. Here a pixel outside keeps its gradient where a
    step along its negative leads back into the range.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return x.clamp(0, 1)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        (gradient,) = gradients
        leads_out = ((x < 0) & (gradient > 0)) | ((x > 1) & (gradient < 0))
        return gradient.masked_fill(leads_out, 0)


def clamp_to_range(x: Tensor) -> Tensor:
    """``x`` clamped to [0, 1]; the gradient passes wherever it points into the range."""
    clamped: Tensor = _ClampToRange.apply(x)  # type: ignore[no-untyped-call]
    return clamped


def frequency_scale(height: int, width: int, device: torch.device | str = "cpu") -> Tensor:
    """``1/√f`` for each coefficient of a real Fourier transform, (H, W//2 + 1), float32.

    f is in cycles a pixel; the constant term gets the scale of the lowest frequency there is.
    """
    down = torch.fft.fftfreq(height, device=device)[:, None]  # (H, 1)
    across = torch.fft.rfftfreq(width, device=device)[None, :]  # (1, W//2 + 1)
    frequency = torch.hypot(down, across).clamp_min(1 / max(height, width))
    return frequency.rsqrt()


class FourierImage:
    """A picture as a start picture plus scaled Fourier coefficients, which are all zero at the start.

    Args:
        start: (1, 3, H, W), RGB in [0, 1], float32.
    """

    def __init__(self, start: Tensor) -> None:
        self.start = start
        height, width = start.shape[-2:]
        self.scale = frequency_scale(height, width, start.device)  # (H, W//2 + 1)
        self.coefficients = start.new_zeros((1, 3, *self.scale.shape, 2))  # real and imaginary part

    def decode(self, coefficients: Tensor) -> Tensor:
        """The picture (1, 3, H, W) in [0, 1] of coefficients (1, 3, H, W//2 + 1, 2), see the function of this name."""
        return decode(coefficients, self.start, self.scale)


def decode(coefficients: Tensor, starts: Tensor, scale: Tensor) -> Tensor:
    """``clamp(start + F⁻¹(coefficients / √f))``, for several pictures of one shape.

    Args:
        coefficients: (N, 3, H, W//2 + 1, 2), real and imaginary part.
        starts: (N, 3, H, W).
        scale: (H, W//2 + 1), see `frequency_scale`.

    Returns:
        (N, 3, H, W) in [0, 1].
    """
    spectrum = torch.view_as_complex(coefficients) * scale
    change = torch.fft.irfft2(spectrum, s=starts.shape[-2:], norm="ortho")  # (N, 3, H, W)
    return clamp_to_range(starts + change)


def noise(height: int, width: int, seed: int) -> Tensor:
    """Uniform noise (1, 3, H, W) in [0, 1], float32: the same on every device for the same seed."""
    return torch.rand((1, 3, height, width), generator=torch.Generator().manual_seed(seed))
