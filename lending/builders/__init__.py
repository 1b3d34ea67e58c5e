"""What pages of lending show, made from the facts before it is drawn."""
