# MA-FSAR (Xing et al., arXiv 2308.01532). The paper states neither alpha, tau nor the recipe:
# alpha 0.5 and CLIP's temperature are defaults; configs of a data set may differ.
adapter = dict(type="FineGrainedMultimodal")
prototypes = dict(type="TextGuided")
matcher = dict(type="OTAM")
losses = dict(
    match=dict(type="EpisodeCrossEntropy", weight=0.5),
    text=dict(type="VideoTextKL", weight=0.5),
)
readout = dict(type="ArithmeticFusion", alpha=0.5)
