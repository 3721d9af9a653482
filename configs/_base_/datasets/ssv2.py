# Something-Something V2, the split of OTAM ("SSv2-Full": 64 / 12 / 24 classes).
dataset = dict(
    type="AnnotatedVideos",
    name="ssv2",
    annotations="ssv2.csv",
    source="Qualcomm's AI data sets pages, 'Something-Something V2' (free for research, on "
    "request)",
)
# Classes contain "from left to right" and "from right to left": clips must not be flipped.
clips = dict(frames=8, flip=False)
