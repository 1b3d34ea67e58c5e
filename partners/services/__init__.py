"""Writing about institutions and people."""
