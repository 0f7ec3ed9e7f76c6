//! What a browser keeps over a reload.
