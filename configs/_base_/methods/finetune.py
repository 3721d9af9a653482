# Full fine-tuning of the image tower, with MA-FSAR's prototypes and matcher.
adapter = dict(type="FullFineTuning")
prototypes = dict(type="TextGuided")
matcher = dict(type="OTAM")
losses = dict(
    match=dict(type="EpisodeCrossEntropy", weight=0.5),
    text=dict(type="VideoTextKL", weight=0.5),
)
readout = dict(type="ArithmeticFusion", alpha=0.5)
