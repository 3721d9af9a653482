# The authors' released configs: 10,000 episodes, one per optimizer step, AdamW, cosine without
# warm-up. The rate is that of most 1-shot configs.
train = dict(
    episodes=10_000,
    lr=2e-4,
    trunk_lr=2e-4,
    weight_decay=0.1,
    val_interval=500,
)
