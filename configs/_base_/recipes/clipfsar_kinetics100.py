# The authors' released 1-shot config: episodes of one process, four per optimizer step, and the
# iterations at which their schedule divides the learning rate by ten. They used Adam with L2 and
# four parallel processes; we use AdamW.
train = dict(
    episodes=5000,
    accumulate=4,
    lr=1e-5,
    trunk_lr=1e-5,
    weight_decay=5e-4,
    warmup=250,
    schedule="multistep",
    milestones=[750, 1250],
    val_interval=500,
)
