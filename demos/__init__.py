"""What one can play with: a bank in front of your eyes, and a building that grows."""
