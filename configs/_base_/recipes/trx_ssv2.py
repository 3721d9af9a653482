# 16 episodes per step and 75,000 episodes on this split are the authors'. They use SGD at a
# constant 1e-3; we use AdamW with our own learning rates.
train = dict(
    episodes=75_000,
    accumulate=16,
    lr=1e-4,
    trunk_lr=1e-5,
    schedule="constant",
    val_interval=5000,
)
