# The authors' released 1-shot config: tasks of one process, the tasks of an optimiser step, and the
# iterations at which their schedule starts and reaches a tenth and a hundredth of the rate. There
# Adam with L2, here AdamW; they ran four such processes.
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
