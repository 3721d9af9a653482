dataset = dict(type="Strokes")
