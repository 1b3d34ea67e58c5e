"""The demonstration programme: who takes part, what was lent, how it is repaid, and the files that say so.

Pure: the same seed gives the same book and, to the byte, the same files. Nothing here reads the clock, the
database or anything of the running system; ``reports/management/demonstration`` carries it out through the
services and screens a partner would use. Institutions, clusters, districts and branches are real; borrowers,
accounts and every payment are synthetic and say so in their names.
"""
