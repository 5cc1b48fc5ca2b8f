"""PatchNCE: patches of an output should be recognised among those of its own source (arXiv:2007.15651, section 3)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def patch_nce(queries: Tensor, keys: Tensor, temperature: float) -> Tensor:
    """Mean cross entropy of finding the key at the query's own place among all keys of the same image (equation 3).

    queries, keys: (N, S, D) unit vectors of S places in each of N images. Keys receive no gradient: the source's
    patches stay what they are, the output's follow (MoCo's order of the two, as in the authors' code).
    """
    similarity = torch.bmm(queries.float(), keys.detach().float().transpose(1, 2)) / temperature
    own = torch.arange(similarity.shape[1], device=similarity.device).expand(len(similarity), -1)
    return F.cross_entropy(similarity.flatten(0, 1), own.flatten())
