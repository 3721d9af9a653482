"""Methods of 2025 and 2026 on synthact, 5-way 1-shot, with CLIP-FSAR, on which three of them build.

The same recipe and test episodes as in `synthact.py`: eight frames, one query per class, 10,000
test episodes, the packaged small CLIP, 300 training episodes, checkpoint selected on the 12
validation classes; not tuned for any method.
"""

seeds = [0, 1, 2]
rows = [
    dict(name="CLIP-CPM2C", config="cpm2c_synthact_1shot"),
    dict(name="CLIP-SPM (transductive)", config="clipspm_synthact_1shot"),
    dict(name="MPL (transductive)", config="mpl_synthact_1shot"),
    # Features depend on the episode and cannot be cached: 500 episodes instead of 10,000.
    dict(
        name="Task-Adapter++ (transductive)",
        config="taskadapterpp_synthact_1shot",
        set=["evaluate.episodes=500"],
        seeds=[0],
    ),
    dict(name="CLIP-FSAR", config="clipfsar_synthact_1shot"),
]
