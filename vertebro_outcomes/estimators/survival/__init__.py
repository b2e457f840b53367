"""Times to events with competing events: arrays in, frozen fits out; linear in n after one sort."""
