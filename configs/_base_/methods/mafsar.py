# MA-FSAR (Xing et al., arXiv 2308.01532). The paper prints neither alpha, tau nor the recipe:
# alpha 0.5 and CLIP's temperature are the starting point, a config on its data may differ.
adapter = dict(type="FineGrainedMultimodal")
prototypes = dict(type="TextGuided")
matcher = dict(type="OTAM")
losses = dict(
    match=dict(type="EpisodeCrossEntropy", weight=0.5),
    text=dict(type="VideoTextKL", weight=0.5),
)
readout = dict(type="ArithmeticFusion", alpha=0.5)
