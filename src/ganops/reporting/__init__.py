"""What people look at: sample grids, curves, animations, leaderboards and the HTML report."""
