"""Synthetic presentations for measurement: a photo moved like a head. Nothing here is a real recording.

    generic_face -> portrait (photo, landmarks, depth) -> render (one posed frame) -> actor (moves on demand)

What comes out is called synthetic wherever it is reported. The photo stays in memory.
"""
