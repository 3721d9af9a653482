# CLIP-SPM (Li et al., arXiv 2512.19036): frames, frames related to those of the other videos, and
# anchors of the classes are three segments. Weights of the losses are those of the authors' code
# for tasks of 5 ways and 20 queries: it sums the cross-entropy over queries and adds 0.001 times
# each distance in each of the 16 tasks of a step (0.001 * 16 / 20 = 0.0008). The widths of the
# gates, the share of the text and the factors of support and queries are its numbers for HMDB51.
adapter = dict(type="FullFineTuning")
prototypes = dict(type="PromptModulation")
matcher = dict(
    type="SegmentMatching",
    segments=3,
    weights=[0.5, 1.0, 1.0],
    temperature=0.5,
    cosine_eps=0.01,
)
losses = dict(
    match=dict(type="EpisodeCrossEntropy"),
    motion=dict(type="Consistency", reads="motion", weight=0.0008),
    prompt=dict(
        type="Consistency",
        reads="prompt",
        weight=0.0008,
        query_weight=0.07,
        support_weight=0.43,
    ),
    fused_prompt=dict(
        type="Consistency",
        reads="fused_prompt",
        weight=0.0008,
        query_weight=0.07,
        support_weight=0.43,
    ),
    fused=dict(
        type="Consistency",
        reads="fused",
        weight=0.0008,
        query_weight=0.54,
        support_weight=0.46,
    ),
)
readout = dict(type="MatchOnly")
