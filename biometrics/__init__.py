"""Identity verification by face: pictures in, a decision and a committed session out.

The stages, in the order in which values pass through them, each a module that knows no later one:

    capture -> quality -> tracking, landmarks -> signals -> liveness -> matching -> decision -> service

`interfaces` names the models that can be replaced, `sources.interface` where references come from.
`dlib_models` is the one module that touches the face models. `service` runs whole checks: consents,
second factor, liveness, match, evidence, and the record for the ledger; nothing else makes a session.
"""
