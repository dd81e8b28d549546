"""The world around a node, with its faults: link, network, clock, processor, disk."""
