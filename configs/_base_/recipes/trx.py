# 16 episodes per step are the authors'. Their code does not state the number of episodes on this
# data set; 10,000 is our choice. They use SGD at a constant 1e-3; we use AdamW with our own
# learning rates.
train = dict(
    episodes=10_000,
    accumulate=16,
    lr=1e-4,
    trunk_lr=1e-5,
    schedule="constant",
    val_interval=1000,
)
