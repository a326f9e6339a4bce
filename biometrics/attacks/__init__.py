"""Presentation attacks built from a photo or a video, to measure what gets through (ISO/IEC 30107-3).

    instruments (print, screen, cut-out mask) -> species (who moves what, when) -> campaign -> statistics

The generators are frozen: a change of them is a new GENERATORS, and a test holds their output's hash.
"""
