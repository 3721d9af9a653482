"""From a config file to objects: loading, validation, building."""
