//! The server's side: what each command does to each operation, and to the numbers.

mod align;
mod life;
mod numbers;
mod properties;
