"""Why the record can be believed: canonical bytes, Merkle tree, checkpoints, proofs, tiles.

Pure; knows bytes, not grants.
"""
