"""What a network for a collection has to keep of a picture, while its critic asks for another kind of it.

Two answers. By way of a second network that takes paintings back, in the unpaired training of Zhu, Park, Isola, Efros,
"Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial Networks" (ICCV 2017); or without one, by what
features show of both pictures, as Chen, Lai, Liu, "CartoonGAN: Generative Adversarial Networks for Photo
Cartoonization" (CVPR 2018) do, here with the distance of the `forms.BALANCED` objective.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from stylebatch.tasks.nst.collection_network import CollectionNetwork
from stylebatch.tasks.nst.encoder import Encoder
from stylebatch.tasks.nst.forms import BALANCED
from stylebatch.tasks.nst.goals import CONTENT_LAYERS

UNIT = 2.0  # of the published weights of the cycle, whose pictures are in [-1, 1], in those of pictures in [0, 1]
CYCLE, IDENTITY = 10.0, 5.0  # λ and ½ λ (Zhu et al. 2017, eq. 3 and section 5.2)


@dataclass(frozen=True)
class LostStructure:
    """The structure that is lost, at `CONTENT_LAYERS`, on the mean.

    Attributes:
        encoder: one that has these layers.
    """

    encoder: Encoder
    weight: float = 1.0

    def __call__(self, pictures: Tensor, made: Tensor) -> Tensor:
        """Of pictures (N, 3, H, W), RGB in [0, 1], in what was made of them: a scalar, 0 where nothing is."""
        view = dict.fromkeys(CONTENT_LAYERS, BALANCED.view)
        with torch.no_grad():
            wanted = self.encoder(pictures, view)
        found = self.encoder(made, view)
        return self.weight * torch.stack([BALANCED.content(found[layer], wanted[layer]) for layer in view]).mean()


@dataclass(frozen=True)
class LostOnTheWayBack:
    """``λ E[‖F(G(x)) - x‖₁] + ½ λ E[‖F(x) - x‖₁]`` (Zhu et al. 2017, eq. 2 and section 5.2).

    What went there and back should be the picture that it was, and what is of a kind already should stay as it is.

    Attributes:
        back: ``F``, which makes the pictures' own kind.
        weight: a factor on both published weights.
        dtype: of its features.
    """

    back: CollectionNetwork
    weight: float = 1.0
    dtype: torch.dtype = torch.float32

    def __call__(self, pictures: Tensor, made: Tensor) -> Tensor:
        """Of pictures (N, 3, H, W), RGB in [0, 1], and what was made of them: a scalar."""
        returned, same = self.back(torch.cat([made, pictures]), self.dtype).chunk(2)
        return self.weight * (CYCLE * apart(returned, pictures) + IDENTITY * apart(same, pictures))


def apart(picture: Tensor, wanted: Tensor) -> Tensor:
    """``E[‖a - b‖₁]``, the mean over pixels and channels of two pictures (N, 3, H, W) in [0, 1], in published units."""
    return UNIT * (picture - wanted).abs().mean()
