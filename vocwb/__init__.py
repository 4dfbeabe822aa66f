"""vocwb: what customers say, how they feel, who feels it, why, and whether what we changed helped."""

__version__ = "0.1.0"
