# CLIP-FSAR (Wang et al., IJCV 2024). For the results that its tables call an ensemble with
# video-text matching: readout = dict(_delete_=True, type="GeometricFusion").
adapter = dict(type="FullFineTuning")
prototypes = dict(type="SemanticModulation")
matcher = dict(type="OTAM", temperature=0.5)
losses = dict(match=dict(type="EpisodeCrossEntropy"), text=dict(type="VideoTextContrast"))
readout = dict(type="MatchOnly")
