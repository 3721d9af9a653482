# The authors' released 1-shot config: tasks of one process, the tasks of an optimiser step, and the
# iterations at which their schedule starts and reaches a tenth and a hundredth of the rate (a half
# before, which is left out). There Adam with L2, here AdamW; they ran four such processes.
train = dict(
    episodes=2500,
    accumulate=4,
    lr=5e-5,
    trunk_lr=5e-5,
    weight_decay=5e-4,
    warmup=700,
    schedule="multistep",
    milestones=[2100],
    val_interval=500,
)
