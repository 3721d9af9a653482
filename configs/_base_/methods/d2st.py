# D2ST-Adapter (Pei et al., ICCV 2025) with mean prototypes and Bi-MHM. On some data sets the
# authors add a classifier of videos: d2st_classifier.py.
adapter = dict(type="D2STAdapter")
prototypes = dict(type="Mean")
matcher = dict(type="BiMHM")
losses = dict(match=dict(type="EpisodeCrossEntropy"))
readout = dict(type="MatchOnly")
