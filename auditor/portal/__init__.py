"""The verification service's public pages: what its own replay established, and nothing of the platform's."""
