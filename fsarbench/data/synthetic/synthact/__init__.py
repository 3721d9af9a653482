"""Built-in data set `synthact`: 100 named actions, rendered with numpy."""
