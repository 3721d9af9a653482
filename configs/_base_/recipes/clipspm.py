# The authors' released configs: 16 episodes per step, a constant rate. They use Adam with L2 and
# betas of 0.5 and 0.999; we use AdamW with torch's.
train = dict(
    episodes=20_000,
    accumulate=16,
    lr=1e-5,
    trunk_lr=1e-5,
    weight_decay=5e-5,
    schedule="constant",
    val_interval=1000,
)
