# UCF101, the split of ARN (70 / 10 / 21 classes).
dataset = dict(
    type="AnnotatedVideos",
    name="ucf101",
    annotations="ucf101.csv",
    source="the Center for Research in Computer Vision of the University of Central "
    "Florida, 'UCF101' (for research)",
)
clips = dict(frames=8, flip=True)
