"""What Plume's numbers mean: reports computed from typed values, without waiting or a clock."""
