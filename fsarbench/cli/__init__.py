"""The verbs of the command line, a file a verb or group; what they do is elsewhere."""
