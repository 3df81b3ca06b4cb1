"""The mathematics of neural style transfer: tensors in, tensors out.

Read in this order, with the paper open beside it (Gatys, Ecker, Bethge, "Image Style Transfer Using
Convolutional Neural Networks", CVPR 2016):

1. ``encoder``: the truncated VGG-19 that turns a picture into features;
2. ``losses``: content loss, style loss, total variation, and the objective that adds them up; ``forms``: the distances
   that they are made of, from ``structure`` and ``style_distance``, and as the paper has them;
   ``guidance``: the style loss where each style has a region of its own;
   ``figures``: what a picture is worth, whatever made it;
3. ``image``: how the picture is parametrized, so that an optimizer finds its way quickly;
4. ``lbfgs``: the optimizer, and its ``inverse_hessian``; ``optimize``: the loop around it; ``evaluation``: what it asks
   for at each step, and ``graphs``: how a GPU is spared being told of each kernel of it;
5. ``company``: several such loops whose pictures go through the network together, and ``alike``: their losses at once;
6. ``precision``: which number format is the fastest on this machine.

A picture that is painted instead of being optimized (Johnson, Alahi, Fei-Fei, "Perceptual Losses for Real-Time Style
Transfer and Super-Resolution", ECCV 2016) takes a ``transformation`` network, built of ``layer``s and gone through in
``strips`` where memory is short. ``any_style`` is told of a style its ``condition``, and what it changes is the
``ground``. ``training`` has the steps that train it, ``goals`` what is wanted of its pictures and ``criterion`` how far
they are.

A collection of paintings (Zhu, Park, Isola, Efros, "Unpaired Image-to-Image Translation using Cycle-Consistent
Adversarial Networks", ICCV 2017) is painted by a ``collection_network``. A ``feature_critic`` judges it, by
``adversarial`` losses; ``earlier_results`` and ``augmentation`` are what that one is shown, ``kept`` is what has to be
left of a photograph, and ``collection_training`` has the steps. ``frechet`` says how far its pictures are from the
paintings.

Pictures are tensors of shape (1, 3, H, W), float32, RGB, in [0, 1]. Nothing here knows of files other than the
network's weights, of Prefect, or of pandas.
"""

import os

# torch's allocator then asks the system for large pages. Each step takes and returns gigabytes, and at 1024 px and more
# a fifth of its time went into mapping them in pages of 4 KB. It is read when torch first allocates.
os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")
# On a GPU, blocks that grow: pictures of many shapes, alone and in company, would leave gaps between fixed ones.
if "PYTORCH_CUDA_ALLOC_CONF" not in os.environ:
    os.environ.setdefault("PYTORCH_ALLOC_CONF", "expandable_segments:True")
