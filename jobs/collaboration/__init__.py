"""The loop's second half: what failed becomes a ticket with a clock, and closes on proof."""
