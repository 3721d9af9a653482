# D2ST-Adapter (Pei et al., ICCV 2025) with the classifier of videos over the training classes. The
# weight is that of SSv2-Full.
_base_ = "d2st.py"
losses = dict(videos=dict(type="VideoClassifier", weight=2.0))
