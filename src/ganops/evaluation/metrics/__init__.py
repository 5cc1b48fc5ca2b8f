"""One file per metric group: pure functions of features, logits or samples, and the group that is made of them."""
