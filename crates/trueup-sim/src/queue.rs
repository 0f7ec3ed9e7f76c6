//! What is still to happen, in the order of (time, sequence).

use std::cmp::Ordering;
use std::collections::BinaryHeap;

/// Things to happen at their times; at the same time in the order in which they were planned.
#[derive(Debug)]
pub struct Queue<T> {
    heap: BinaryHeap<Planned<T>>,
    sequence: u64,
}

#[derive(Debug)]
struct Planned<T> {
    at: i64,
    sequence: u64,
    what: T,
}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        Self { heap: BinaryHeap::new(), sequence: 0 }
    }
}

impl<T> Queue<T> {
    /// Plans something.
    pub fn push(&mut self, at: i64, what: T) {
        self.sequence += 1;
        self.heap.push(Planned { at, sequence: self.sequence, what });
    }

    /// The next thing to happen, if it is not after `limit`.
    pub fn pop(&mut self, limit: i64) -> Option<(i64, T)> {
        if self.heap.peek()?.at > limit {
            return None;
        }
        self.heap.pop().map(|planned| (planned.at, planned.what))
    }

    /// Plans everything anew: `at` gives a time for each, or drops it.
    pub fn replan(&mut self, mut at: impl FnMut(i64, &T) -> Option<i64>) {
        let mut all: Vec<_> = std::mem::take(&mut self.heap).into_vec();
        all.sort_by_key(|planned| (planned.at, planned.sequence));
        for planned in all {
            if let Some(at) = at(planned.at, &planned.what) {
                self.heap.push(Planned { at, ..planned });
            }
        }
    }
}

impl<T> PartialEq for Planned<T> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl<T> Eq for Planned<T> {}

impl<T> PartialOrd for Planned<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> Ord for Planned<T> {
    /// The earliest is the greatest: a heap gives its greatest first.
    fn cmp(&self, other: &Self) -> Ordering {
        (other.at, other.sequence).cmp(&(self.at, self.sequence))
    }
}
