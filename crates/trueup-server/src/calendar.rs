//! Cutting time into windows: the calendar of an account's time zone, or counted from an anchor.
