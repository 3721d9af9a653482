# Direction is meaning, so no clip may be flipped.
dataset = dict(type="Strokes")
clips = dict(frames=8, flip=False)
