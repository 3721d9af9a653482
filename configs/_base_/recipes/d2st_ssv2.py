# The authors' released config: episodes of one process, eight per optimizer step, and the
# iterations at which their schedule reaches a tenth of the learning rate. Steps to a half and to a
# twentieth are omitted. They used Adam with L2 and two parallel processes; we use AdamW. Their code
# reads the weight decay 1e-3 of a base config, and not the 5e-4 of this one.
train = dict(
    episodes=120_000,
    accumulate=8,
    lr=1e-3,
    trunk_lr=1e-3,
    weight_decay=1e-3,
    warmup=6000,
    schedule="multistep",
    milestones=[36_000],
    val_interval=60_000,
)
