# The authors' released 1-shot config: episodes of one process, four per optimizer step, and the
# iterations at which their schedule divides the learning rate by ten. They used Adam with L2 and
# four parallel processes; we use AdamW.
train = dict(
    episodes=3000,
    accumulate=4,
    lr=2e-6,
    trunk_lr=2e-6,
    weight_decay=5e-5,
    warmup=600,
    schedule="multistep",
    milestones=[1200, 1800],
    val_interval=500,
)
