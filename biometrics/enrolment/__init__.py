"""Before and beside the face: invitations, consents, slots for the way without a face, erasure."""
