# The authors' released config: episodes of one process, eight per optimizer step, and the
# iterations at which their schedule reaches a tenth and a hundredth of the learning rate. A step to
# a twentieth is omitted. They used Adam with L2 and two parallel processes; we use AdamW. Their
# code reads the weight decay 1e-3 of a base config, and not the 5e-4 of this one.
train = dict(
    episodes=2400,
    accumulate=8,
    lr=5e-4,
    trunk_lr=5e-4,
    weight_decay=1e-3,
    warmup=120,
    schedule="multistep",
    milestones=[600, 1080],
    val_interval=1200,
)
