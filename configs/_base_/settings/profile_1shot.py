# Setting of cost comparisons: fp32 without TF32, as in papers, and five queries per class.
episodes = dict(way=5, shot=1, queries=5, train_queries=5)
train = dict(precision="fp32", tf32=False)
