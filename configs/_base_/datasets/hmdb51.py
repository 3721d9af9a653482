# HMDB51, the split of ARN (31 / 10 / 10 classes).
dataset = dict(
    type="AnnotatedVideos",
    name="hmdb51",
    annotations="hmdb51.csv",
    source="the Serre lab at Brown University, 'HMDB: a large human motion database' (CC BY 4.0)",
)
clips = dict(frames=8, flip=True)
