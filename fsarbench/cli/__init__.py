"""The verbs of the command line, a file for each verb or group; what they do is elsewhere."""
