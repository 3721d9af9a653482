dataset = dict(type="SynthAct")
