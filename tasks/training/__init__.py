"""Networks are made, and chosen: when one is worth its training, and the training itself with its checkpoints.

In order: `request` is what is asked for, `photographs` reads the pictures, `samples` draws from them what each step
looks at, `held_out` judges, `session` is a training in one process and `training` the task that carries it to its end.
For a collection, `held_out_collection` judges in a `collection_session`. `course` is what both kinds have in common.
`rates` measures, and `engines` chooses. What a step is, and what a network is made of, is `nst`'s.
"""
