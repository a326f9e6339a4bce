"""What officers decide: cases with a lock, two-person rule, and the directory of officers."""
