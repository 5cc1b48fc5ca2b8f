"""Frozen networks whose feature maps say more about how alike two images look than their pixels do; a file each."""
