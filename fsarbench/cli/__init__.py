"""Commands of the command line, one file per command or group; other modules do the work."""
