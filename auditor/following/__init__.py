"""Following: channels verified as they grow, and whoever has to know told of what is wrong."""
