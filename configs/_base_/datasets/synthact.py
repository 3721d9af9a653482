# Many classes differ in direction alone, so no clip may be flipped.
dataset = dict(type="SynthAct")
clips = dict(frames=8, flip=False)
