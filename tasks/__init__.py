"""What flows are made of, in rooms. A row of a manifest goes through them in this order; each uses earlier ones only.

`nst` (the mathematics), `storage`, `pictures`, `request`, `networks`, `devices`, `plan`, `results`, `stylizing`,
`runs`, `training`, `again`, `gallery`. Beside them is what all share: errors, and how far a run is. Nothing here
imports from ``flows``.
"""
