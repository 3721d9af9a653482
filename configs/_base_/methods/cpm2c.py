# CLIP-CPM2C (Guo et al., Neurocomputing 2025, arXiv 2312.01083): frames and motion are two
# segments, which one layer processes and OTAM compares one by one. Weights of the losses are those
# of the authors' script for tasks of 5 ways, 1 shot and 25 queries: it sums cross-entropies over
# videos and queries (0.5 * 30 / 25 = 0.6) and adds 0.001 times the consistency in each of the 16
# tasks of a step.
adapter = dict(type="FullFineTuning")
neck = dict(type="FrameMotion")
prototypes = dict(type="ConsistencyPrototypes", segments=2)
matcher = dict(type="SegmentMatching", segments=2, temperature=0.5, cosine_eps=0.01)
losses = dict(
    match=dict(type="EpisodeCrossEntropy"),
    text=dict(type="VideoTextContrast", weight=0.6, cosine_eps=0.01),
    consistency=dict(type="Consistency", weight=0.00064),
)
readout = dict(type="MatchOnly")
