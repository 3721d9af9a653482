# Many classes differ only in direction, so clips must not be flipped.
dataset = dict(type="SynthAct")
clips = dict(frames=8, flip=False)
