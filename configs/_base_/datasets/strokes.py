# Classes differ in direction, so clips must not be flipped.
dataset = dict(type="Strokes")
clips = dict(frames=8, flip=False)
