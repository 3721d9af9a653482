# The authors' released 1-shot config: episodes of one process, four per optimizer step, and the
# iterations at which their schedule divides the learning rate by ten. They used Adam with L2 and
# four parallel processes; we use AdamW.
train = dict(
    episodes=30_000,
    accumulate=4,
    lr=5e-5,
    trunk_lr=5e-5,
    weight_decay=5e-5,
    warmup=2000,
    schedule="multistep",
    milestones=[4000, 6000],
    val_interval=1000,
)
