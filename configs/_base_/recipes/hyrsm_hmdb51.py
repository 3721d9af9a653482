# The authors' released 1-shot config: episodes of one process, episodes per optimizer step, and the
# iterations at which their schedule reaches a tenth and a hundredth of the learning rate.
# An earlier step to a half is omitted. They used Adam with L2 and four parallel
# processes; we use AdamW.
train = dict(
    episodes=2000,
    accumulate=2,
    lr=5e-5,
    trunk_lr=5e-5,
    weight_decay=5e-4,
    warmup=300,
    schedule="multistep",
    milestones=[600, 1200],
    val_interval=200,
)
