# Task-Adapter++ (Cao et al., arXiv 2505.06002), as in the released code: Task-Adapter in the image
# tower and the product of a visual and a semantic score. Transductive. The adapters across the
# sentences of a class are in the text encoder OrderedText, which a config of this method sets.
adapter = dict(type="TaskAdapter", last=6)
prototypes = dict(type="SubActionWindows")
matcher = dict(type="CosineProduct")
losses = dict(match=dict(type="EpisodeCrossEntropy"))
readout = dict(type="MatchOnly")
