# The authors' released 1-shot config: episodes of one process, episodes per optimizer step, and the
# iterations at which their schedule reaches a tenth and a hundredth of the learning rate. They used
# Adam with L2 and four parallel processes; we use AdamW.
train = dict(
    episodes=20_000,
    accumulate=4,
    lr=1e-4,
    trunk_lr=1e-4,
    weight_decay=5e-5,
    warmup=1500,
    schedule="multistep",
    milestones=[3000, 6000],
    val_interval=1000,
)
