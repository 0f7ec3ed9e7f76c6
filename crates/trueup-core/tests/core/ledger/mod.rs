//! The server's side: what each command does to each operation, and to the numbers.

mod align;
mod changes;
mod life;
mod numbers;
mod properties;
