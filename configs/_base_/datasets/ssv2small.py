# Something-Something V2, the split of CMN ("SSv2-Small": 64 / 12 / 24 classes, 100 videos each).
dataset = dict(
    type="AnnotatedVideos",
    name="ssv2small",
    annotations="ssv2small.csv",
    source="Qualcomm's AI data sets pages, 'Something-Something V2' (free for research, on "
    "request)",
)
# Classes contain "from left to right" and "from right to left": clips must not be flipped.
clips = dict(frames=8, flip=False)
