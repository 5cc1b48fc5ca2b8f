"""Processes that have this folder in PYTHONPATH, or import this file first, have no torchmetrics, like those of users.

Where it is installed, Lightning Fabric imports it and torchvision with it: four seconds of a processor in each process.
"""

import sys

sys.modules["torchmetrics"] = None
