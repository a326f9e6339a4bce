"""Where reference pictures come from, behind one interface (`interface.PhotoSource`)."""
