# Kinetics-100, the split of CMN (64 / 12 / 24 classes of Kinetics-400, 100 videos each).
dataset = dict(
    type="AnnotatedVideos",
    name="kinetics100",
    annotations="kinetics100.csv",
    source="Kinetics-400 of DeepMind, in the copy that the Common Visual Data Foundation "
    "keeps (annotations CC BY 4.0)",
)
clips = dict(frames=8, flip=True)
