"""The ground's optimal transport without eigenvalues: all matrices of a batch at once, and nothing that waits.

On a GPU, an eigendecomposition asks the device whether it converged and waits for the answer.  That
cannot be captured in a CUDA graph, and would keep the device idle anyway.  The iteration here is
nothing but sums and products, as many for each matrix.
"""

from __future__ import annotations

import torch
from torch import Tensor

# The number of correct digits doubles with each step once the first have made up for the condition, which takes
# log₂ √κ steps: in double precision these are enough for any covariance that 8-bit colours can have.
STEPS = 22
# Share of its mean eigenvalue that a product of covariances is raised by, and what is added besides: a style without
# any variance on an axis would have no inverse, which the iteration needs.
LIFT, TINY = 1e-6, 1e-12


def transport_by_iteration(sources: Tensor, targets: Tensor) -> Tensor:
    """`stylebatch.tasks.nst.ground.optimal_transport` but for rounding: (K, 3, 3) twice, double -> (K, 3, 3)."""
    forward, backward = roots(sources)
    product = forward @ targets @ forward
    lift = LIFT * _mean_eigenvalue(product) + TINY
    root, _ = roots(product + lift * torch.eye(3, dtype=product.dtype, device=product.device))
    return backward @ root @ backward


def roots(matrices: Tensor) -> tuple[Tensor, Tensor]:
    """The principal square roots of matrices (K, 3, 3) with positive eigenvalues, and the roots' inverses.

    ``Y ← (Y + Z⁻¹) / 2, Z ← (Z + Y⁻¹) / 2`` from ``Y = M, Z = 1`` leads to ``Y = M^½, Z = M^-½`` (Denman, Beavers,
    "The matrix sign function and computations in systems", Applied Mathematics and Computation 2, 1976).
    """
    scale = _mean_eigenvalue(matrices)
    root = matrices / scale
    inverse = torch.eye(3, dtype=matrices.dtype, device=matrices.device).expand_as(matrices)
    for _ in range(STEPS):
        root, inverse = (root + inverted(inverse)) / 2, (inverse + inverted(root)) / 2
    return root * scale.sqrt(), inverse / scale.sqrt()


def inverted(matrices: Tensor) -> Tensor:
    """The inverses of matrices (K, 3, 3), whose columns are the cross products of the rows over the determinant."""
    first, second, third = matrices.unbind(1)  # (K, 3) each
    cross = torch.linalg.cross
    columns = [cross(second, third), cross(third, first), cross(first, second)]
    return torch.stack(columns, 2) / (first * columns[0]).sum(1)[:, None, None]


def _mean_eigenvalue(matrices: Tensor) -> Tensor:
    """(K, 3, 3) -> (K, 1, 1)."""
    return matrices.diagonal(dim1=1, dim2=2).mean(1)[:, None, None]
