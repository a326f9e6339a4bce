"""Identity verification by face: pictures in, a decision and a committed session out.

The stages, in the order in which values pass through them, each a module that knows no later one:

    picture -> locate (detect, landmarks) -> template -> matching -> decision -> session -> verification

`interfaces` names what can be replaced: detector, landmarker, embedder, reference source, recorder of
sessions. `dlib_models` is the one module that touches the face models. Nothing here writes a picture,
a template or a frame anywhere, and nothing here reads a clock or a random source that wasn't passed in.

This cut compares faces; it does not tell a living face from a picture of one.
"""
