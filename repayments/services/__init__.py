"""What may be done with repayments: post, reverse, reallocate, upload, close, keep policies."""
