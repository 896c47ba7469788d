"""Physical pruning: models whose removed heads, units and layers are really gone."""
