"""Ways to staff a shop beside each other: by hand, by a greedy rule, by the search."""
