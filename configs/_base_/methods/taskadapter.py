# Task-Adapter (Cao et al., ACM MM 2024): the last six of ViT-B's twelve blocks, as in the authors'
# code. Transductive. Their score is the cosine times the cosine with the text of the class; ours is
# the first factor only.
adapter = dict(type="TaskAdapter", last=6)
prototypes = dict(type="Mean")
matcher = dict(type="MeanCosine")
losses = dict(match=dict(type="EpisodeCrossEntropy"))
readout = dict(type="MatchOnly")
