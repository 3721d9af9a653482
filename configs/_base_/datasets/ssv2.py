# Something-Something V2, the split of OTAM ("SSv2-Full": 64 / 12 / 24 classes).
dataset = dict(
    type="AnnotatedVideos",
    name="ssv2",
    annotations="ssv2.csv",
    source="Qualcomm's AI data sets pages, 'Something-Something V2' (free for research, on "
    "request)",
)
# "From left to right" and "from right to left" are classes of it: no clip may be flipped.
clips = dict(frames=8, flip=False)
