"""Evidence packages: what an arbitration commission needs to judge one ballot, in one file, offline."""
