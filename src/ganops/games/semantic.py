"""CyCADA's semantic consistency: a translation keeps the class of its source (Hoffman et al. 2017, arXiv:1711.03213).

A classifier learns from the labels of one domain while the translators learn. It names the classes of translations in
both directions; where a domain's labels are not used, those that it sees in the source take their place (equation 4).
"""

from __future__ import annotations

from typing import Literal

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

from ganops.data.fields.category import CategoryField
from ganops.data.rows import Rows
from ganops.data.spec import LABEL, DataSpec, joint_name
from ganops.errors import SettingsError
from ganops.networks.network import Classifier
from ganops.objectives.distortion import distorted
from ganops.settings import Settings


class SemanticSettings(Settings):
    """weight: of the cross entropy between a translation's class and that of its source.

    labelled: the domains whose labels are used; CyCADA knows those of the source domain A alone.
    threshold: the term does not count while the classifier's own cross entropy is above; 1 in the authors' code.
    distortion: strength of random distortions of the images that it learns from, see objectives.distortion; a
        classifier of one domain as it is hardly reads the other one. 0, none, in CyCADA.
    """

    weight: float = Field(default=1.0, gt=0)
    labelled: tuple[Literal["A", "B"], ...] = Field(default=("A",), min_length=1)
    threshold: float = Field(default=1.0, gt=0)
    distortion: float = Field(default=0.0, ge=0, le=1)


class SemanticConsistency(nn.Module):
    """The classifier's own loss, and what it asks of translations.

    classifier_loss: 0-dim, the classifier's cross entropy when it last learnt.
    """

    classifier_loss: Tensor

    def __init__(self, settings: SemanticSettings, classifier: Classifier, spec: DataSpec) -> None:
        super().__init__()
        self.settings = settings
        if classifier.source not in settings.labelled:
            raise SettingsError(
                "networks.classifier is built for a domain whose labels are not used",
                code="other-fields",
                expected=f"source: {settings.labelled[0]}",
                found=f"source: {classifier.source}",
                action="set source and labels of networks.classifier as semantic.labelled has them",
            )
        labels = [spec.field(joint_name(domain, LABEL), CategoryField) for domain in settings.labelled]
        if len({field.classes for field in labels}) > 1:
            raise SettingsError(
                "semantic.labelled: the domains have different classes",
                code="other-classes",
                expected="the same classes in both domains",
                found=" and ".join(field.description for field in labels),
                action="use the labels of one domain",
            )
        self.register_buffer("classifier_loss", torch.tensor(2 * settings.threshold))

    def classify(self, classifier: Classifier, batch: Rows) -> Tensor:
        """The classifier's mean cross entropy on the labelled images of a batch."""
        losses = [
            F.cross_entropy(classifier(self._shown(batch[domain])).float(), batch[joint_name(domain, LABEL)])
            for domain in self.settings.labelled
        ]
        loss = torch.stack(losses).mean()
        self.classifier_loss.copy_(loss.detach())
        return loss

    def _shown(self, images: Tensor) -> Tensor:
        """What the classifier learns from."""
        return distorted(images, self.settings.distortion) if self.settings.distortion else images

    def term(self, classifier: Classifier, source: str, batch: Rows, translated: Tensor) -> Tensor:
        """The weighted cross entropy of a domain's translations; 0 while the classifier is not good enough."""
        if source in self.settings.labelled:
            classes = batch[joint_name(source, LABEL)]
        else:
            with torch.no_grad():
                classes = classifier(batch[source]).argmax(dim=1)
        counts = self.settings.weight * (self.classifier_loss <= self.settings.threshold)
        return counts * F.cross_entropy(classifier(translated).float(), classes)
