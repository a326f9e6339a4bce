"""From a person on a roll to a pseudonym with a key of their own, known on `identity`."""
